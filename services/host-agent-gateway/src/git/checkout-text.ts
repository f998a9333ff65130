/**
 * Shell that puts a repository into a folder of a working copy; it comes after `ONE` of prepare-text.ts, whose functions it
 * uses. The clone is made in the action's own folder and only its .git is moved into place: what goes wrong before leaves the
 * folder as it was, and what goes wrong after is put right by doing it again.
 */
export const CHECKOUT = `
careful() { git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c gc.auto=0 -c maintenance.auto=false "$@"; }

# Which of several reasons it was is in git's words alone, so what is not known among them is told as before.
unreachable() {
  # A URL with a password in it may be among git's words.
  why=; [ "$repo" != "$shown" ] || why=": $(printf '%s\\n' "$said" | sed -n 1p)"
  case $said in
    *"' not found"*|*'epository not found'*|*'could not be found'*|*'does not appear to be a git repository'*|*'does not exist'*|*'returned error: 404'*|*'returned error: 410'*) missing;;
    *'Authentication failed'*|*'could not read Username'*|*'could not read Password'*|*'returned error: 401'*|*'returned error: 403'*|*'ermission denied'*|*'Host key verification failed'*) denied;;
    *'ould not resolve'*|*'ailed to connect'*|*'onnection refused'*|*'onnection timed out'*|*'onnection reset'*|*'onnection closed'*|*'etwork is unreachable'*|*'o route to host'*|*"ouldn't connect"*|*'unable to connect'*|*'returned error: 5'*|*'RPC failed'*|*'SSL '*|*'TLS '*|*'emote end hung up'*|*'early EOF'*)
      printf '%sthe repository %s cannot be reached from this host%s\\n' "$label" "$shown" "$why" >&2; exit 78;;
    *'access rights'*) denied;; # what git says after anything that goes wrong over SSH
  esac
  printf '%sthe repository %s does not exist or cannot be read from this host%s\\n' "$label" "$shown" "$why" >&2
  exit 71
}
missing() { printf '%sthere is no repository %s, or it is not shown to this host\\n' "$label" "$shown" >&2; exit 76; }
denied() { printf '%sthe repository %s lets nobody in from this host%s\\n' "$label" "$shown" "$hint" >&2; exit 77; }
in_the_way() { printf 'the folder %s %s\\n' "$where" "$1" >&2; exit 73; }
failed() { printf '%s%s\\n' "$label" "$1" >&2; exit 73; }

look_at_target() { # $1: make it where it is not there
  real=$(cd -P -- "$root" 2>/dev/null && pwd) || { printf 'there is no folder %s\\n' "$root" >&2; exit 73; }
  target=$real
  if [ -n "$below" ]; then
    target=$real/$below; above=\${target%/*}
    [ -z "$1" ] || said=$(mkdir -p -- "$above" 2>&1) || failed "$said"
    [ -d "$above" ] || return 0
    # A link on the way may lead anywhere.
    inside=$(cd -P -- "$above" && pwd) && [ "$inside" = "$above" ] || in_the_way 'is not where its path says: a link in the working copy leads elsewhere'
    [ ! -L "$target" ] || in_the_way 'is a link'
    [ -z "$1" ] || [ -d "$target" ] || mkdir -- "$target" || in_the_way 'could not be made'
  fi
  old=
  if [ -d "$target/.git" ] && [ ! -L "$target/.git" ]; then
    old=$(git config --file "$target/.git/config" --get-all remote.origin.url 2>/dev/null)
    [ "$old" = "$repo" ] || in_the_way 'is a clone of another repository already: name another path'
    old=1
  elif [ -e "$target" ] && [ -n "$(ls -A -- "$target")" ]; then in_the_way 'has something else in it already: name another path'; fi
}

# Sets $sha and, where it is a branch, $branch. The clone in $copy has its objects and no files.
cloned() {
  name=\${ref#refs/heads/}; name=\${name#refs/tags/}; branch=; sha=
  # Of a path on this host git would take all of the history, whatever is said.
  set -- --quiet --template= --no-checkout
  [ -z "$depth" ] || set -- "$@" --no-local --depth "$depth"
  if [ -z "$ref" ]; then
    said=$(careful clone "$@" -- "$repo" "$copy" 2>&1) || unreachable
    branch=$(git -C "$copy" symbolic-ref --quiet --short HEAD)
    sha=$(git -C "$copy" rev-parse --verify --quiet 'HEAD^{commit}') || no_ref
    return
  fi
  if ! looks_like_commit; then
    if said=$(careful clone "$@" --branch "$name" -- "$repo" "$copy" 2>&1); then
      branch=$(git -C "$copy" symbolic-ref --quiet --short HEAD)
      sha=$(git -C "$copy" rev-parse --verify --quiet 'HEAD^{commit}') || no_ref
      return
    fi
    rm -rf -- "$copy"
    said=$(git ls-remote --quiet -- "$repo" HEAD 2>&1) || unreachable
  fi
  if [ -n "$depth" ]; then
    said=$(git init --quiet --template= -- "$copy" 2>&1) || failed "$said"
    git -C "$copy" config remote.origin.url "$repo" && git -C "$copy" config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*' || exit 73
    # What looks like a commit may be a branch or a tag.
    for full in "refs/heads/$name" "refs/tags/$name" "$ref"; do
      if said=$(careful -C "$copy" fetch --quiet --depth "$depth" --no-tags -- origin "$full" 2>&1); then
        sha=$(git -C "$copy" rev-parse --verify --quiet 'FETCH_HEAD^{commit}') || no_ref
        [ "$full" != "refs/heads/$name" ] || { branch=$name; git -C "$copy" update-ref "refs/remotes/origin/$name" "$sha" || exit 73; }
        return
      fi
    done
    rm -rf -- "$copy"
    # A short id, or a server that gives no single commits: only all of the history can tell.
    echo "berth-note all of the history was fetched, because a commit like $ref cannot be asked for alone"
  fi
  said=$(careful clone --quiet --template= --no-checkout -- "$repo" "$copy" 2>&1) || unreachable
  for full in "refs/remotes/origin/$name" "refs/tags/$name" "$ref"; do
    sha=$(git -C "$copy" rev-parse --verify --quiet --end-of-options "$full^{commit}") && break
    sha=
  done
  if [ -n "$sha" ] && [ "$full" = "refs/remotes/origin/$name" ]; then branch=$name; fi
  if [ -z "$sha" ] && careful -C "$copy" fetch --quiet -- origin "$ref" 2>/dev/null; then
    sha=$(git -C "$copy" rev-parse --verify --quiet 'FETCH_HEAD^{commit}') || sha=
  fi
  [ -n "$sha" ] || no_ref
}

emptied() { # takes away the files of the clone that is there, and leaves what git does not know
  cd -- "$target" || exit 73
  careful submodule deinit --quiet --all --force >/dev/null 2>&1
  empty=$(git hash-object -t tree /dev/null) && said=$(careful read-tree -u --reset "$empty" 2>&1) || {
    # Half of a clone, from a try that was cut off: its files are as the new one wants them, or overwritten.
    [ ! -e .git/HEAD ] || [ ! -e .git/index ] || failed "the files of the clone in $where could not be taken away: $said"
  }
  rm -rf -- .git || { chmod -R u+rwx .git; rm -rf -- .git; } || failed "the clone in $where could not be taken away"
}

placed() {
  mv -- "$copy/.git" "$target/.git" || failed "the clone could not be moved into $where"
  cd -- "$target" || exit 73
  # Pointers first: large files are fetched together afterwards, or not at all.
  export GIT_LFS_SKIP_SMUDGE=1
  if [ -n "$branch" ]; then set -- -B "$branch"; else set -- --detach; fi
  said=$(careful checkout --quiet --force "$@" "$sha" -- 2>&1) || failed "$said"
  if [ -n "$branch" ]; then git config "branch.$branch.remote" origin && git config "branch.$branch.merge" "refs/heads/$branch" || exit 73; fi
}

with_submodules() { # recursive or not
  [ -f .gitmodules ] || return 0
  # A repository of the network has no business among the folders of this host.
  case $repo in /*|file:*) ;; *) GIT_ALLOW_PROTOCOL=git:http:https:ssh;; esac
  set -- --init --quiet --force
  [ "$submodules" != recursive ] || set -- "$@" --recursive
  [ -z "$depth" ] || set -- "$@" --depth "$depth"
  said=$(careful submodule update "$@" 2>&1) && return
  label="a submodule of $shown: "
  shown=$(printf '%s\\n' "$said" | sed -n "s/.*clone of '\\([^']*\\)'.*/\\1/p" | sed -n 1p)
  # Not one that could not be cloned: its commit is gone, say.
  [ -n "$shown" ] || failed "$said"
  unreachable
}

with_large_files() {
  unset GIT_LFS_SKIP_SMUDGE
  said=$(git lfs install --local --skip-repo 2>&1 && git lfs pull 2>&1) || failed "its large files could not be fetched: $said"
  [ "$submodules" != no ] && [ -f .gitmodules ] || return 0
  set -- --quiet
  [ "$submodules" != recursive ] || set -- "$@" --recursive
  said=$(git submodule foreach "$@" 'git lfs install --local --skip-repo && git lfs pull' 2>&1) || failed "large files of a submodule could not be fetched: $said"
}

[ -z "$lfs" ] || git lfs version >/dev/null 2>&1 || { echo "git-lfs is not installed on this host: install it there, or check out without lfs" >&2; exit 75; }
copy=$mine/stage; rm -rf -- "$copy"
case $repo in /*) [ -e "$repo" ] || { said='does not exist'; unreachable; };; esac
local_repository
look_at_target ''
cloned
look_at_target make
[ -z "$old" ] || emptied
placed
[ "$submodules" = no ] || with_submodules
[ -z "$lfs" ] || with_large_files
printf 'berth-path %s\\n' "$target"
done_with
`;
