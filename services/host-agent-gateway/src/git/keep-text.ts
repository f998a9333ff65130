/**
 * Shell that turns a working copy into a kept clone. Whoever had it could write anything into it, so nothing of it is
 * cleaned: a new clone is begun, and what is known to be harmless is moved over. That is the objects, which have their
 * content's name, and the commits last seen in the remote repository, which say what need not be fetched again. Hooks,
 * configuration, the index with its flags, stashes, tags, replaced commits, alternates, submodules and every file in the
 * folder stay behind and are removed with it; the files of the commit are written anew, so that the next to come has to
 * write only what differs.
 *
 * Who logs in as the user that builds run as could change objects or the kept clones themselves, as well as that user's
 * own start files: builds of one user are kept apart by folders, not by the operating system.
 */
export const KEEP = `
mine=\${0%/*}
new=$mine/kept
old=$mine/old
export LC_ALL=C GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=/bin/false SSH_ASKPASS=/bin/false
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_ALTERNATE_OBJECT_DIRECTORIES
careful() { git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c submodule.recurse=false -c gc.autoDetach=false "$@"; }

really_folder() { [ -d "$1" ] && [ ! -L "$1" ]; }
plain() { # folder: has only files and folders in it, and folders that can be emptied
  [ -z "$(find "$1" ! -type f ! -type d -print)" ] && find "$1" -type d ! -perm -700 -exec chmod u+rwx {} +
}
commit() { # $1 -> $sha, what its HEAD says; read and never asked, because git would read its configuration
  sha=
  [ -f "$1/.git/HEAD" ] && [ ! -L "$1/.git/HEAD" ] && read -r sha <"$1/.git/HEAD" || return 1
  case $sha in 'ref: refs/heads/'*)
    name=\${sha#ref: }; sha=
    case /$name/ in */../*|*/./*) return 1;; esac
    if [ -f "$1/.git/$name" ] && [ ! -L "$1/.git/$name" ]; then read -r sha <"$1/.git/$name"
    else while read -r id at; do [ "$at" != "$name" ] || sha=$id; done <"$1/.git/packed-refs"; fi;;
  esac
  case $sha in *[!0-9a-f]*) return 1;; ????????????????????????????????????????) ;; *) return 1;; esac
}
renew() { # from to: a clean clone in \`to\` with the objects of the one in \`from\`
  really_folder "$1/.git" && really_folder "$1/.git/objects" && really_folder "$1/.git/refs" && commit "$1" || return 1
  git init --quiet --template= -- "$2" && rm -rf -- "$2/.git/objects" && mv -- "$1/.git/objects" "$2/.git/objects" || return 1
  # Here are other places to look for objects, and a list of commits that is made again when it is missed.
  rm -rf -- "$2/.git/objects/info"
  plain "$2/.git/objects" || return 1
  if [ -f "$1/.git/packed-refs" ] && [ ! -L "$1/.git/packed-refs" ]; then
    sed -n 's/^\\([0-9a-f]\\{40\\} refs\\/remotes\\/origin\\/[^ ]*\\)$/\\1/p' "$1/.git/packed-refs" >"$2/.git/packed-refs" || return 1
  fi
  if really_folder "$1/.git/refs/remotes" && really_folder "$1/.git/refs/remotes/origin" && plain "$1/.git/refs/remotes/origin"; then
    rm -rf -- "$1/.git/refs/remotes/origin/HEAD"
    mkdir -p -- "$2/.git/refs/remotes" && mv -- "$1/.git/refs/remotes/origin" "$2/.git/refs/remotes/origin" || return 1
  fi
  # Large files of Git LFS, named by their content too.
  if really_folder "$1/.git/lfs" && really_folder "$1/.git/lfs/objects" && plain "$1/.git/lfs/objects"; then
    mkdir -- "$2/.git/lfs" && mv -- "$1/.git/lfs/objects" "$2/.git/lfs/objects" || return 1
  fi
  # Without what may be secret in the address; the next to come says it again.
  printf '%s\\n' "$sha" >"$2/.git/HEAD" && git config --file "$2/.git/config" remote.origin.url "$shown" &&
    git config --file "$2/.git/config" remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*' || return 1
  cd -- "$2" || return 1
  careful pack-refs --all && careful reset --quiet --hard && careful gc --auto --quiet
}
kept() {
  really_folder "$copy" && rm -rf -- "$new" "$old" && mkdir -- "$new" "$old" && mkdir -p -- "$cache/$key" || return 1
  real=$(cd -P -- "$copy" && pwd) || return 1
  # From the last to the first, so that what is inside of another leaves before it.
  at=$total
  while [ $at -gt 0 ]; do
    at=$((at - 1)); pick $at
    from=$copy
    if [ -n "$below" ]; then
      # One that its user took away is cloned again; one behind a link is none of ours.
      inside=$(cd -P -- "$copy/$below" 2>/dev/null && pwd) && [ "$inside" = "$real/$below" ] || continue
      mv -- "$copy/$below" "$old/$at" || return 1
      from=$old/$at
    fi
    ( renew "$from" "$new/$at" ) || return 1
  done
  # Taken for as old as it is now, and seen by others only when it is whole.
  touch -- "$new" && mv -- "$new" "$cache/$key/$id" || return 1
  cd -- "$cache" || return 1
  ls -1dt -- */* | while read -r one; do
    if [ "$most" -gt 0 ]; then most=$((most - 1)); continue; fi
    # First out of reach of whoever might take it.
    mv -- "$one" "$mine/gone" && rm -rf -- "$mine/gone"
  done
}
emptied() { # what is left in this action's own folder; a build may have taken away the right to remove things
  for part in "$new" "$old" "$mine/gone"; do
    really_folder "$part" || continue
    rm -rf -- "$part" 2>/dev/null || { chmod -R u+rwx -- "$part"; rm -rf -- "$part"; }
  done
}
kept; rc=$?
cd /
emptied
exit $rc
`;
