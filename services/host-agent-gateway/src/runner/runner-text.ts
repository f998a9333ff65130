/**
 * The runner: what the host shell knows once this text was written to it. POSIX sh, and only builtins where a command
 * starts and ends, because every fork there is a millisecond of each remote command.
 *
 * An action's folder, `actions/<id>/`:
 *   pid     line 1 the supervisor, line 2 the command: `<pid> <start time> <boot>`. Made with O_EXCL (set -C) by whoever decides:
 *           the supervisor, which then starts the command, or somebody who found it missing for long and writes `never`.
 *   script  the command text. A file and not an argument of `sh -c`: no 128 KiB limit, and not to be read in `ps`.
 *   out, err, rc (`<code>\n`; without its newline it is not there yet), killed (`<reason>\n`: somebody ended it on purpose)
 *
 * Identity of a process is pid + start time + boot id, so a pid that was given away again, or a reboot, is noticed.
 * On stdout: `r <request> <answer>` once for each request, and `x <id> <code> <out?> <err?>` when a command of this shell ends.
 */
export const RUNNER = `
berth_load() { # request actions-folder
  umask_was=$(umask); umask 077
  berth_a=$2
  [ -d "$berth_a" ] || mkdir -p -- "$berth_a" 2>/dev/null || { echo "r $1 fault"; return; }
  berth_proc=; berth_boot=-
  if [ -r /proc/self/stat ] && [ -z "$BERTH_NO_PROC" ]; then
    berth_proc=1
    read -r berth_boot </proc/sys/kernel/random/boot_id || berth_boot=-
  fi
  if [ -z "$BERTH_NO_SETSID" ] && command -v setsid >/dev/null 2>&1; then
    berth_leader() { exec setsid "$@"; }
  elif command -v perl >/dev/null 2>&1; then
    berth_leader() { exec perl -e 'use POSIX; POSIX::setsid(); exec { $ARGV[0] } @ARGV; exit 127' "$@"; }
  else
    berth_leader() { exec "$@"; }
  fi
  echo "r $1 ok"
}

berth_me() { # identity of this very process -> $berth_who
  if [ -n "$berth_proc" ]; then
    read -r berth_l </proc/self/stat
    berth_who=\${berth_l%% *}
    set -- \${berth_l##*) }
    shift 19; berth_who="$berth_who $1 $berth_boot"
  else
    berth_who=$(exec sh -c 'echo $PPID')
    berth_who="$berth_who $(berth_born $berth_who) -"
  fi
}

berth_born() { set -- $(LC_ALL=C ps -o lstart= -p $1 2>/dev/null); IFS=_; echo "$*"; }

berth_alive() { # pid start boot: is it that process, and not only a zombie of it?
  if [ -n "$berth_proc" ]; then
    [ "$3" = "$berth_boot" ] || return 1
    { read -r berth_l </proc/$1/stat; } 2>/dev/null || return 1
    berth_w=$2
    set -- \${berth_l##*) }
    case $1 in Z|X) return 1;; esac
    shift 19; [ "$1" = "$berth_w" ]
  else
    [ -n "$2" ] && [ "$(berth_born $1)" = "$2" ]
  fi
}

berth_run() { # request id cwd script NAME=value...
  berth_q=$1; berth_i=$2; berth_c=$3; berth_s=$4; shift 4
  berth_d=$berth_a/$berth_i
  if mkdir "$berth_d" 2>/dev/null; then
    berth_supervise "$@" </dev/null 2>/dev/null &
    echo "r $berth_q new"
  elif [ -d "$berth_d" ]; then
    berth_state "$berth_i"; echo "r $berth_q $berth_r"
  else
    echo "r $berth_q fault"
  fi
}

berth_supervise() {
  cd "$berth_d" || exit
  berth_me
  set -C; { echo "$berth_who" >pid; } 2>/dev/null || exit
  set +C
  printf '%s\\n' "$berth_s" >script
  (
    berth_me; echo "$berth_who" >>../"$berth_i"/pid
    umask "$umask_was"
    cd -- "$berth_c" 2>/dev/null || { echo "berth: there is no folder $berth_c to run in" >&2; exit 125; }
    [ $# = 0 ] || export "$@"
    BERTH_ACTION=$berth_i; export BERTH_ACTION
    berth_leader sh -e "$berth_d/script"
  ) </dev/null >out 2>err &
  trap '' HUP INT PIPE TERM
  wait $!
  berth_rc=$?
  echo $berth_rc >rc
  berth_o=0; [ ! -s out ] || berth_o=1
  berth_e=0; [ ! -s err ] || berth_e=1
  echo "x $berth_i $berth_rc $berth_o $berth_e"
}

berth_code() { # id -> $berth_x, or fails when no exit code is recorded
  { read -r berth_x <"$berth_a/$1/rc"; } 2>/dev/null
}

berth_live() { # id: does the supervisor or the command live?
  { exec 9<"$berth_a/$1/pid"; } 2>/dev/null || return 1
  while read -r berth_p berth_t berth_b <&9; do
    if berth_alive "$berth_p" "$berth_t" "$berth_b"; then exec 9<&-; return 0; fi
  done
  exec 9<&-
  return 1
}

berth_state() { # id -> $berth_r
  [ -d "$berth_a/$1" ] || { berth_r=unknown; return; }
  berth_k=-
  { read -r berth_k <"$berth_a/$1/killed"; } 2>/dev/null
  if berth_code "$1"; then berth_r="exited $berth_x $berth_k"; return; fi
  berth_l=; { read -r berth_l <"$berth_a/$1/pid"; } 2>/dev/null
  [ -n "$berth_l" ] || { berth_r=starting; return; }
  [ "$berth_l" != never ] || { berth_r="never $berth_k"; return; }
  if berth_live "$1"; then berth_r="running $berth_k"; return; fi
  # The supervisor may have written the code and gone between the two looks above.
  if berth_code "$1"; then berth_r="exited $berth_x $berth_k"; return; fi
  berth_members "$1"
  if [ -n "$berth_m" ]; then berth_r="running $berth_k"; else berth_r="lost $berth_k"; fi
}

berth_look() { berth_state "$2"; echo "r $1 $berth_r"; }

berth_never() { # request id: settles that an action whose supervisor did not show up will never start
  ( set -C; echo never >"$berth_a/$2/pid" ) 2>/dev/null
  berth_look "$1" "$2"
}

berth_members() { # id -> $berth_m, the pids of its processes: by mark, by session, by descent
  berth_m=; berth_s1=-; berth_s2=-
  { exec 9<"$berth_a/$1/pid"; } 2>/dev/null && {
    read -r berth_p berth_t berth_b <&9 && berth_alive "$berth_p" "$berth_t" "$berth_b" && berth_s1=$berth_p
    # The session outlives its leader. A living process with the leader's pid but another start time means that it is over.
    read -r berth_p berth_t berth_b <&9 && [ "$berth_b" = "$berth_boot" ] &&
      { berth_alive "$berth_p" "$berth_t" "$berth_b" || ! kill -0 "$berth_p" 2>/dev/null; } && berth_s2=$berth_p
    exec 9<&-
  }
  if [ -n "$berth_proc" ]; then
    for berth_f in $(grep -lF "BERTH_ACTION=$1" /proc/[0-9]*/environ 2>/dev/null); do
      berth_p=\${berth_f#/proc/}; berth_p=\${berth_p%/environ}
      tr '\\0' '\\n' <"$berth_f" 2>/dev/null | grep -qxF "BERTH_ACTION=$1" && berth_m="$berth_m $berth_p"
    done
    berth_table=$(for berth_f in /proc/[0-9]*/stat; do
      { read -r berth_l <"$berth_f"; } 2>/dev/null || continue
      berth_p=\${berth_l%% *}; set -- \${berth_l##*) }
      echo "$berth_p $2 $4 $1"
    done)
  else
    berth_m=$(ps -Aww -E -o pid=,command= 2>/dev/null | grep -F "BERTH_ACTION=$1 " | grep -v grep | while read -r berth_p berth_l; do echo " $berth_p"; done)
    berth_table=$(ps -A -o pid=,ppid=,pgid=,stat= 2>/dev/null)
  fi
  berth_m=" $(echo $berth_m) "
  berth_more=1
  while [ -n "$berth_more" ]; do
    berth_more=
    while read -r berth_p berth_pp berth_g berth_st; do
      case $berth_st in Z*|X*) continue;; esac
      case $berth_m in *" $berth_p "*) continue;; esac
      case " $berth_s1 $berth_s2$berth_m" in
        *" $berth_pp "*) berth_m="$berth_m$berth_p "; berth_more=1;;
        *) [ "$berth_g" != "$berth_s2" ] || { berth_m="$berth_m$berth_p "; berth_more=1; };;
      esac
    done <<BERTH_END
$berth_table
BERTH_END
  done
  berth_m=$(echo $berth_m)
}

berth_kill() { # request id reason grace-in-tenths-of-a-second
  berth_end "$@" </dev/null 2>/dev/null &
}

berth_end() {
  trap '' HUP INT PIPE TERM
  [ -d "$berth_a/$2" ] || { echo "r $1 unknown"; return; }
  # No code yet: note why there will be one. With one, only what the command left behind is ended.
  berth_code "$2" || ( set -C; echo "$3" >"$berth_a/$2/killed" )
  ( set -C; echo never >"$berth_a/$2/pid" )
  berth_n=0; berth_none=0
  while :; do
    berth_members "$2"
    if [ -z "$berth_m" ]; then
      # Twice, because a process that forks while the list is read can be in neither half of it.
      berth_none=$((berth_none + 1))
      if [ $berth_none -ge 2 ]; then
        berth_code "$2" && break
        if ! berth_live "$2"; then
          berth_l=; read -r berth_l <"$berth_a/$2/pid"
          berth_code "$2" || [ "$berth_l" = never ] || ( set -C; echo 137 >"$berth_a/$2/rc" )
          break
        fi
      fi
    else
      berth_none=0
      if [ $berth_n = 0 ]; then berth_sig=TERM; elif [ $berth_n -ge "$4" ]; then berth_sig=KILL; else berth_sig=; fi
      if [ -n "$berth_sig" ]; then for berth_p in $berth_m; do kill -$berth_sig "$berth_p"; done; fi
      [ $berth_n -lt $(($4 + 100)) ] || { echo "r $1 stuck $berth_m"; return; }
    fi
    berth_n=$((berth_n + 1))
    if [ $berth_n -lt 3 ]; then sleep 0.02; else sleep 0.1; fi
  done
  berth_state "$2"; echo "r $1 gone $berth_r"
}

berth_forget() { # request id...: removes the folders of actions that have ended
  ( berth_q=$1; shift
    for berth_i in "$@"; do
      berth_state "$berth_i"
      case $berth_r in running*|starting*) echo "r $berth_q busy $berth_i"; exit;; esac
      rm -rf -- "$berth_a/$berth_i" || { echo "r $berth_q fault"; exit; }
    done
    echo "r $berth_q ok" ) </dev/null 2>/dev/null &
}

berth_list() { ( cd "$berth_a" && set -- * && { [ -e "$1" ] || set --; } && echo "r $1_ $*" ) 2>/dev/null; }
`;
