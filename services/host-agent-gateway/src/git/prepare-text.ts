/**
 * Shell that makes clones. The values it reads ($repo, $ref, $shown, ...) never become syntax. Distinct exit codes come from
 * asking again what is wrong, not from the text of git's messages, which changes between versions.
 */

/** `made` makes one clone in $copy and ends with its exit code; its commit is on stdout. */
export const ONE = `
mine=\${0%/*}
command -v git >/dev/null 2>&1 || { echo "git is not installed on this host" >&2; exit 70; }
export LC_ALL=C GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=/bin/false SSH_ASKPASS=/bin/false
export GIT_ALLOW_PROTOCOL=file:git:http:https:ssh
export GIT_SSH_COMMAND="\${GIT_SSH_COMMAND:-ssh} -o BatchMode=yes"
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_ALTERNATE_OBJECT_DIRECTORIES

local_repository() { # a path on this host that is there, and that git will read
  case $repo in /*) ;; *) return;; esac
  [ -e "$repo" ] || { printf '%sthe repository %s does not exist on this host\\n' "$label" "$shown" >&2; exit 71; }
  [ ! -O "$repo" ] || return
  # Of another owner: git refuses unless told that this one is meant. It hears that only from a file, because its own
  # child process does not inherit -c; the file adds one path to what the user has configured.
  config=$mine/gitconfig-\${copy##*/}
  {
    printf '[include]\\n\\tpath = %s\\n' "\${GIT_CONFIG_GLOBAL:-~/.gitconfig}"
    quoted=$(printf '%s' "$repo" | sed 's/[\\\\"]/\\\\&/g')
    printf '[safe]\\n\\tdirectory = "%s"\\n\\tdirectory = "%s/.git"\\n' "$quoted" "\${quoted%/}"
  } >"$config" || exit 73
  export GIT_CONFIG_GLOBAL="$config"
}
head() { # the commit in $1, without a process where its HEAD can be read as a file
  sha=; read -r sha <"$1/.git/HEAD" || return 1
  case $sha in 'ref: '*) { read -r sha <"$1/.git/\${sha#ref: }"; } 2>/dev/null || sha=$(git -C "$1" rev-parse --verify --quiet HEAD) || return 1;; esac
  [ -n "$sha" ]
}
done_with() { printf 'berth-commit %s\\n' "$sha"; exit 0; }
unreachable() {
  printf '%s\\n' "$said" >&2
  printf '%sthe repository %s does not exist or cannot be read from this host\\n' "$label" "$shown" >&2
  exit 71
}
no_ref() {
  rm -rf -- "$copy"
  if [ -n "$ref" ]; then printf '%sthe repository %s has no branch, tag or commit %s\\n' "$label" "$shown" "$ref" >&2
  else printf '%sthe repository %s has no commit yet\\n' "$label" "$shown" >&2; fi
  exit 72
}
looks_like_commit() { # What does may be a branch as well, so it takes the longer way that can tell.
  case $ref in *[!0-9a-fA-F]*|?|??|???|'') return 1;; esac
}

made() {
  local_repository
  name=\${ref#refs/heads/}; name=\${name#refs/tags/}
  # No template: its sample hooks cost 3 ms to copy, and a hook of the user has no business in a build.
  if [ -z "$ref" ]; then
    said=$(git clone --quiet --template= -- "$repo" "$copy" 2>&1) || unreachable
    head "$copy" || no_ref
    done_with
  fi
  if ! looks_like_commit; then
    if said=$(git clone --quiet --template= --branch "$name" -- "$repo" "$copy" 2>&1); then
      head "$copy" || no_ref
      done_with
    fi
    rm -rf -- "$copy"
    git ls-remote --quiet -- "$repo" HEAD >/dev/null 2>&1 || unreachable
  fi
  said=$(git clone --quiet --template= --no-checkout -- "$repo" "$copy" 2>&1) || unreachable
  cd "$copy" || exit 73
  for full in "refs/remotes/origin/$name" "refs/tags/$name" "$ref"; do
    sha=$(git rev-parse --verify --quiet --end-of-options "$full^{commit}") && break
    sha=
  done
  # Something that no branch or tag leads to, a pull request or a commit by its full id: the server may still give it.
  if [ -z "$sha" ] && git fetch --quiet -- origin "$ref" 2>/dev/null; then
    sha=$(git rev-parse --verify --quiet 'FETCH_HEAD^{commit}') || sha=
  fi
  [ -n "$sha" ] || { cd /; no_ref; }
  said=$(git checkout --quiet --detach "$sha" 2>&1) || { printf '%s%s\\n' "$label" "$said" >&2; exit 73; }
  done_with
}
`;

/**
 * Several repositories, or a kept clone: each is made beside the others in the action's own folder, four at a time, and
 * moved into place when all are there. A kept clone is taken by renaming it, which succeeds for one taker alone.
 */
export const SEVERAL = `
stage=$mine/stage
rm -rf -- "$stage"; mkdir -- "$stage" || exit 73
if [ -n "$kept" ] && cd -- "$kept" 2>/dev/null; then
  for newest in $(ls -1t); do mv -- "$newest" "$stage/taken" 2>/dev/null && break; done
  cd /
  [ ! -L "$stage/taken" ] || rm -f -- "$stage/taken"
fi
if [ -n "$alone" ] && [ ! -d "$stage/taken" ]; then
  pick 0; copy=$target
  made
fi

# Nothing that a repository or its user has configured runs, and no clean-up of git's own goes on behind our back.
careful() { git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c submodule.recurse=false -c gc.auto=0 -c maintenance.auto=false "$@"; }

# The kept clone in $copy as a new one would be, or failure when anything about it is odd: then it is cloned, which finds
# out what is wrong where something is. What its last user had is not there any more (see keep-text.ts), apart from objects
# that nobody but that user had made: so a commit counts only when the remote repository leads to it.
renewed() {
  local_repository
  [ ! -L "$copy" ] && [ ! -L "$copy/.git" ] && cd -- "$copy" || return 1
  [ "$(git config --file .git/config --get-all remote.origin.url)" = "$shown" ] || return 1
  git config --file .git/config remote.origin.url "$repo" || return 1
  # Which branch is the default one takes another connection, made at the same time.
  git ls-remote --symref --quiet origin HEAD >"$copy.head" &
  careful fetch --quiet --prune --force --no-auto-gc --no-recurse-submodules origin '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*'
  fetched=$?; wait $! && [ $fetched = 0 ] && read -r sha branch _ <"$copy.head" && [ "$sha" = ref: ] || return 1
  git symbolic-ref refs/remotes/origin/HEAD "refs/remotes/origin/\${branch#refs/heads/}" || return 1
  name=\${ref#refs/heads/}; name=\${name#refs/tags/}; sha=
  if [ -z "$ref" ]; then branch=\${branch#refs/heads/}
  elif branch=; looks_like_commit; then
    for full in "refs/remotes/origin/$ref" "refs/tags/$ref" "$ref"; do
      sha=$(git rev-parse --verify --quiet --end-of-options "$full^{commit}") && break
      sha=
    done
    [ -n "$sha" ] && [ -n "$(git for-each-ref --count=1 --contains "$sha" refs/remotes/origin refs/tags)" ] || return 1
  elif git show-ref --verify --quiet "refs/remotes/origin/$name"; then branch=$name
  else sha=$(git rev-parse --verify --quiet --end-of-options "refs/tags/$name^{commit}") || return 1
  fi
  if [ -n "$branch" ]; then careful checkout --quiet --force -B "$branch" --track "refs/remotes/origin/$branch" -- || return 1
  else careful checkout --quiet --force --detach "$sha" -- || return 1; fi
  careful reset --quiet --hard && careful clean -ffdxq || return 1
  head "$copy"
}
made_or_renewed() { # number
  copy=$stage/$1
  if [ -d "$stage/taken/$1" ]; then
    mv -- "$stage/taken/$1" "$copy" && ( renewed && done_with ) 2>/dev/null && exit 0
    rm -rf -- "$copy"
  fi
  made
}
work() { # number: this one and every fourth after it
  at=$1
  while [ "$at" -lt $total ] && [ ! -e "$stage/failed" ]; do
    ( pick "$at"; made_or_renewed "$at" ) >"$stage/$at.out" 2>"$stage/$at.err"
    rc=$?
    echo $rc >"$stage/$at.rc"
    [ $rc = 0 ] || true >"$stage/failed"
    at=$((at + 4))
  done
}
for first in 0 1 2 3; do [ $first -ge $total ] || work $first & done
wait
at=0
while [ $at -lt $total ]; do
  rc=73; { read -r rc <"$stage/$at.rc"; } 2>/dev/null || [ -e "$stage/failed" ] || exit 73
  # Others were not begun when one had failed.
  if [ "$rc" != 0 ] && [ -e "$stage/$at.rc" ]; then cat "$stage/$at.err" >&2; rm -rf -- "$stage"; exit "$rc"; fi
  at=$((at + 1))
done

misplaced() { printf '%s%s\\n' "$label" "$1" >&2; rm -rf -- "$target" "$stage"; exit 73; }
at=0
while [ $at -lt $total ]; do
  pick $at
  if [ -z "$below" ]; then
    mv -- "$stage/$at" "$target" || misplaced 'could not be moved into place'
    cat "$stage/$at.out"
  else
    [ -d "$target" ] || mkdir -- "$target" || misplaced 'could not be moved into place'
    above=$target/$below; above=\${above%/*}
    said=$(mkdir -p -- "$above" 2>&1) || misplaced "$said"
    # A repository may have a link where this folder belongs: nothing is put where that leads.
    real=$(cd -P -- "$target" && pwd) && inside=$(cd -P -- "$above" && pwd)
    [ "$inside" = "$real\${above#"$target"}" ] || misplaced 'a link in the working copy leads elsewhere'
    # Git keeps an empty folder for a submodule.
    rmdir -- "$target/$below" 2>/dev/null
    [ ! -e "$target/$below" ] && [ ! -L "$target/$below" ] || misplaced 'the working copy has something there already'
    mv -- "$stage/$at" "$target/$below" || misplaced 'could not be moved into place'
  fi
  at=$((at + 1))
done
rm -rf -- "$stage"
exit 0
`;
