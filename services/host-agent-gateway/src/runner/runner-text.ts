import { PS_COMMAND } from '../platforms/windows/start-text.js';
import { shQuote } from './quote.js';

/**
 * The runner: what the host shell knows once this text was written to it. POSIX sh, and only builtins where a command starts and
 * ends: measured, a fork is 0.5 to 1 ms and an exec 1 ms of every remote command, beside 2.5 to 4 ms for a bare ssh2 exec('true').
 *
 * An action's folder, `actions/<id>/`:
 *   pid     made with O_EXCL by whoever decides about the start: the supervisor, which then starts the command once and for all
 *           (line 1 its own pid, line 2 the command's pid, start time and boot), or somebody who forbids it (`never`, or a link of that text)
 *   script  the command text (script.ps1 for PowerShell, which goes by the name). A file and not an argument of `sh -c`: no 128 KiB limit, and not to be read in `ps`.
 *   secret-<NAME>   the value of a variable that is given as a file
 *   out, err, rc (`<code>\n`; without its newline it is not there yet), killed (`<reason>\n`: somebody ended it on purpose)
 *   output  what the command tells as its outputs, if anything
 *
 * A pid alone names nobody after a reboot or when it was given away again: a supervisor is recognised by its working folder,
 * a command by its start time.
 * On stdout: `r <request> <answer>` once for each request, and `x <id> <killed> <code> <output?> <out?> <err?> <kept?>` when a
 * command of this shell ends. `<kept?>` is 0 when its code could not be written down: then the disk had no room for all it printed.
 */
export const RUNNER = `
berth_pwsh=${shQuote(PS_COMMAND)}
berth_load() { # request actions-folder
  berth_u=$(umask); umask 077
  berth_a=$2; berth_jobs=; berth_started=0
  [ -d "$berth_a" ] || mkdir -p -- "$berth_a" || { echo "r $1 fault"; return; }
  berth_proc=; berth_boot=-; berth_mon=
  if [ -r /proc/self/stat ] && [ -z "$BERTH_NO_PROC" ]; then
    berth_proc=1
    read -r berth_boot </proc/sys/kernel/random/boot_id || berth_boot=-
  fi
  # The command gets a process group of its own, or its 'kill 0' would end us. And what is started with & has INT and QUIT
  # ignored, which a shell cannot undo, so that tests that send SIGINT would hang: job control in bash has neither fault and
  # needs no exec, elsewhere there are programs that put it right.
  if [ -n "$BASH_VERSION" ]; then
    berth_mon=1; berth_leader() { exec "$@"; }
  elif [ -z "$BERTH_NO_SETSID" ] && setsid env --default-signal=INT,QUIT true; then
    berth_leader() { exec setsid env --default-signal=INT,QUIT "$@"; }
  elif command -v perl; then
    berth_leader() { exec perl -e 'use POSIX; POSIX::setsid(); $SIG{INT} = $SIG{QUIT} = "DEFAULT"; exec { $ARGV[0] } @ARGV; exit 127' "$@"; }
  elif command -v setsid; then
    berth_leader() { exec setsid "$@"; }
  else
    berth_leader() { exec "$@"; }
  fi >/dev/null 2>&1
  # Where printf is a program, what it is given is read by everybody in ps.
  case $KSH_VERSION in
    *MIRBSD*|*LEGACY*|*PD*) berth_text() { print -r -- "$1"; }; berth_bytes() { print -n -- "$1"; };;
    *) berth_text() { printf '%s\\n' "$1"; }; berth_bytes() { printf '%b' "$1"; };;
  esac
  echo "r $1 ok"
}

berth_born() { # pid: prints when it started as one word; nothing for a zombie
  set -- $(LC_ALL=C ps -o stat= -o lstart= -p "$1" 2>/dev/null)
  case $1 in ''|Z*) return;; esac
  shift; IFS=_; echo "$*"
}

berth_since() { # pid -> $berth_t, its start time and boot as two words; nothing when it is gone or only a zombie
  berth_t=
  if [ -n "$berth_proc" ]; then
    { read -r berth_l </proc/$1/stat; } 2>/dev/null || return 0
    set -- \${berth_l##*\\) }
    case $1 in Z|X) return 0;; esac
    shift 19; berth_t="$1 $berth_boot"
  else
    berth_t=$(berth_born "$1")
    [ -z "$berth_t" ] || berth_t="$berth_t -"
  fi
}

berth_alive() { # folder pid start boot: is it that very process?
  if [ -z "$3" ] && [ -n "$berth_proc" ]; then [ "/proc/$2/cwd" -ef "$1" ]; return; fi
  berth_since "$2"
  [ -n "$3" ] && [ "$berth_t" = "$3 $4" ]
}

berth_run() { # request id cwd shell script files [NAME value-for-printf]... NAME=value...
  berth_q=$1; berth_i=$2; berth_c=$3; berth_sh=$4; berth_s=$5; berth_fs=$6; shift 6
  berth_d=$berth_a/$berth_i
  berth_supervise "$@" </dev/null 2>/dev/null &
  berth_job $!
}

berth_has() ( # program files [NAME value-for-printf]... NAME=value...: is it on the PATH that the command has?
  berth_g=$1; berth_n=$2; shift 2
  while [ $berth_n -gt 0 ]; do shift 2; berth_n=$((berth_n - 1)); done
  for berth_w do case $berth_w in PATH=*) PATH=\${berth_w#PATH=};; esac; done
  command -v "$berth_g" >/dev/null 2>&1
)

berth_supervise() {
  # The gateway makes the folder over SFTP while this line travels, which saves an exec here; without SFTP we do.
  [ -d "$berth_d" ] || mkdir "$berth_d" || [ -d "$berth_d" ] || { echo "r $berth_q fault"; exit; }
  if [ -n "$berth_proc" ]; then
    cd -P /proc/self && berth_p=\${PWD##*/}
  else
    berth_p=$(exec sh -c 'echo $PPID')
    berth_since "$berth_p"; berth_p="$berth_p $berth_t"
  fi
  cd "$berth_d" || exit
  berth_sc=script
  if [ "$berth_sh" != sh ]; then
    [ -e pid ] || berth_has "$berth_sh" "$berth_fs" "$@" || { echo "r $berth_q no-shell"; exit; }
    # It goes by the name.
    [ "$berth_sh" != pwsh ] || berth_sc=script.ps1
  fi
  set -C
  true >pid || { berth_state "$berth_i"; echo "r $berth_q $berth_r"; exit; }
  set +C
  # Appended, because ext4 writes a file out on close when it was truncated before.
  { echo "$berth_p" >>pid && berth_text "$berth_s" >$berth_sc; } || { rm -f pid; echo "r $berth_q fault"; exit; }
  while [ $berth_fs -gt 0 ]; do
    berth_bytes "$2" >"secret-$1" || { rm -f pid secret-*; echo "r $berth_q fault"; exit; }
    export "$1=$berth_d/secret-$1"
    shift 2; berth_fs=$((berth_fs - 1))
  done
  echo "r $berth_q new"
  [ -z "$berth_mon" ] || set -m
  (
    umask "$berth_u"
    cd -- "$berth_c" 2>/dev/null || { printf 'berth: there is no folder %s to run in\\n' "$berth_c" >&2; exit 125; }
    unset OLDPWD
    [ $# = 0 ] || export "$@"
    BERTH_ACTION=$berth_i; BERTH_OUTPUT=$berth_d/output; export BERTH_ACTION BERTH_OUTPUT
    case $berth_sh in
      sh) berth_leader sh -e "$berth_d/script";;
      bash) berth_leader bash -e -o pipefail "$berth_d/script";;
      pwsh) export BERTH_SCRIPT="$berth_d/script.ps1"; berth_leader pwsh -NoLogo -NoProfile -NonInteractive -Command "$berth_pwsh";;
    esac
  ) </dev/null >out 2>err &
  # With job control on, wait would also return when the command is only stopped.
  [ -z "$berth_mon" ] || set +m
  # A dead channel must neither end nor stop us. Not before the start: the command would inherit it.
  trap '' HUP INT PIPE TERM
  berth_c=$!
  berth_since $berth_c; echo "$berth_c $berth_t" >>pid
  wait $berth_c
  berth_rc=$?
  berth_kept=1; echo $berth_rc >rc || berth_kept=0
  berth_wrote "$berth_i"
  berth_o=0; [ ! -s out ] || berth_o=1
  berth_e=0; [ ! -s err ] || berth_e=1
  read -r berth_k <killed || berth_k=-
  echo "x $berth_i $berth_k $berth_rc $berth_ot $berth_o $berth_e $berth_kept"
}

berth_job() { # pid: sh remembers every background job until it is waited for, so now and then we do
  berth_jobs="$berth_jobs $1"; berth_started=$((berth_started + 1))
  [ $((berth_started % 64)) = 0 ] || return 0
  berth_left=
  for berth_p in $berth_jobs; do
    if kill -0 "$berth_p" 2>/dev/null; then berth_left="$berth_left $berth_p"; else wait "$berth_p"; fi
  done 2>/dev/null
  berth_jobs=$berth_left
}

berth_wrote() { # id -> $berth_ot, whether there are outputs
  berth_ot=0; [ ! -f "$berth_a/$1/output" ] || [ ! -s "$berth_a/$1/output" ] || berth_ot=1
}

berth_code() { # id -> $berth_x, or fails when no exit code is recorded
  { read -r berth_x <"$berth_a/$1/rc"; } 2>/dev/null
}

berth_live() { # id: does the supervisor or the command live?
  berth_lv=
  while read -r berth_p berth_w berth_b; do
    if berth_alive "$berth_a/$1" "$berth_p" "$berth_w" "$berth_b"; then berth_lv=1; break; fi
  done 2>/dev/null <"$berth_a/$1/pid"
  [ -n "$berth_lv" ]
}

berth_state() { # id -> $berth_r
  [ -d "$berth_a/$1" ] || { berth_r=unknown; return; }
  { read -r berth_k <"$berth_a/$1/killed"; } 2>/dev/null || berth_k=-
  [ ! -L "$berth_a/$1/pid" ] || { berth_r="never $berth_k"; return; }
  if berth_code "$1"; then berth_wrote "$1"; berth_r="exited $berth_k $berth_x $berth_ot"; return; fi
  { read -r berth_l <"$berth_a/$1/pid"; } 2>/dev/null || { berth_r="starting $berth_k"; return; }
  [ "$berth_l" != never ] || { berth_r="never $berth_k"; return; }
  if berth_live "$1"; then berth_r="running $berth_k"; return; fi
  # The supervisor may have written the code and gone between the two looks above.
  if berth_code "$1"; then berth_wrote "$1"; berth_r="exited $berth_k $berth_x $berth_ot"; return; fi
  berth_members "$1"
  if [ -n "$berth_m" ]; then berth_r="running $berth_k"; else berth_r="lost $berth_k"; fi
}

berth_look() { berth_state "$2"; echo "r $1 $berth_r"; }

berth_shut() { # id: from here on it does not start, unless it has
  ( set -C; true >"$berth_a/$1/pid" ) || return 0
  # A disk without room makes a file and writes nothing into it. A link has its text in itself, and keeps a start out as well.
  echo never >>"$berth_a/$1/pid" || { rm -f "$berth_a/$1/pid"; ln -s never "$berth_a/$1/pid"; }
} 2>/dev/null

berth_never() { # request id: settles that an action whose supervisor did not show up never starts
  berth_shut "$2"
  berth_look "$1" "$2"
}

berth_marked() { # NAME=value: prints the pids of who has it in the environment, as ps of BSD and macOS shows that
  # It may be the last word of a line. Whoever looks for it must not have it as a word of its own, or it finds itself.
  ps -A -ww -E -o pid=,command= 2>/dev/null | BERTH_WANTED=$1 awk '{ if (index($0 " ", " " ENVIRON["BERTH_WANTED"] " ")) print $1 }'
}

berth_members() { # id [group] -> $berth_m, the pids of its processes: by mark, by group and session, by descent
  berth_m=; berth_s1=-; berth_s2=\${2:--}
  {
    # While the supervisor or the command lives, the command's pid cannot be given away, so its number names our group.
    read -r berth_p berth_w berth_b && berth_alive "$berth_a/$1" "$berth_p" "$berth_w" "$berth_b" && berth_s1=$berth_p
    if read -r berth_p berth_w berth_b; then
      if [ $berth_s1 != - ] || berth_alive "$berth_a/$1" "$berth_p" "$berth_w" "$berth_b"; then berth_s2=$berth_p; fi
    fi
  } 2>/dev/null <"$berth_a/$1/pid"
  if [ -n "$berth_proc" ]; then
    for berth_f in $(grep -lF "BERTH_ACTION=$1" /proc/[0-9]*/environ 2>/dev/null); do
      berth_p=\${berth_f#/proc/}; berth_p=\${berth_p%/environ}
      if tr '\\0' '\\n' <"$berth_f" | grep -qxF "BERTH_ACTION=$1"; then berth_m="$berth_m $berth_p"; fi
    done 2>/dev/null
    berth_table=$(for berth_f in /proc/[0-9]*/stat; do
      read -r berth_l <"$berth_f" || continue
      berth_p=\${berth_l%% *}; set -- \${berth_l##*\\) }
      echo "$berth_p $2 $3 $4 $1"
    done 2>/dev/null)
  else
    berth_m=$(berth_marked "BERTH_ACTION=$1")
    berth_table=$(ps -A -o pid=,ppid=,pgid=,pgid=,stat= 2>/dev/null)
  fi
  berth_m=" "$(echo $berth_m)" "
  berth_more=1
  while [ -n "$berth_more" ]; do
    berth_more=
    while read -r berth_p berth_pp berth_g berth_ss berth_st; do
      case $berth_st in Z*|X*) continue;; esac
      case $berth_m in *" $berth_p "*) continue;; esac
      case " $berth_s1 $berth_s2 $berth_m" in *" $berth_pp "*) berth_g=$berth_s2;; esac
      if [ "$berth_g" = "$berth_s2" ] || [ "$berth_ss" = "$berth_s2" ]; then berth_m="$berth_m$berth_p "; berth_more=1; fi
    done <<BERTH_TABLE
$berth_table
BERTH_TABLE
  done
  berth_m=$(echo $berth_m)
}

berth_kill() { # request id reason grace-in-tenths-of-a-second
  berth_end "$@" </dev/null 2>/dev/null &
  berth_job $!
}

berth_end() {
  trap '' HUP INT PIPE TERM
  # Never seen here: take its place, so that a start line still under way from a lost connection finds the door shut.
  mkdir "$berth_a/$2"
  # No code yet: note why there will be one. With one, only what the command left behind is ended.
  berth_code "$2" || ( set -C; echo "$3" >"$berth_a/$2/killed" )
  berth_shut "$2"
  berth_n=0; berth_none=0; berth_told=" "; berth_s2=-
  while :; do
    # The group found at first stays ours as long as somebody is in it, also after its leader is gone.
    berth_members "$2" "$berth_s2"
    if [ -z "$berth_m" ]; then
      # Twice, because a process that forks while the list is read can escape it once.
      berth_none=$((berth_none + 1))
      if [ $berth_none -ge 2 ]; then
        berth_code "$2" && break
        if ! berth_live "$2"; then
          [ -L "$berth_a/$2/pid" ] && berth_l=never || read -r berth_l <"$berth_a/$2/pid"
          berth_code "$2" || [ "$berth_l" = never ] || ( set -C; echo 137 >"$berth_a/$2/rc" )
          break
        fi
      fi
    else
      berth_none=0
      for berth_p in $berth_m; do
        if [ $berth_n -ge "$4" ]; then kill -KILL "$berth_p"; continue; fi
        case $berth_told in *" $berth_p "*) ;; *) berth_told="$berth_told$berth_p "; kill -TERM "$berth_p";; esac
      done
      [ $berth_n -lt $(($4 + 100)) ] || { echo "r $1 stuck $berth_m"; return; }
    fi
    berth_n=$((berth_n + 1))
    if [ $berth_n -lt 4 ]; then sleep 0.02; else sleep 0.1; fi || sleep 1
  done
  berth_state "$2"; echo "r $1 gone $berth_r"
}

berth_reap() { # request NAME=value grace-in-tenths-of-a-second: ends whatever carries this in its environment
  berth_reaper "$@" </dev/null 2>/dev/null &
  berth_job $!
}

berth_reaper() {
  trap '' HUP INT PIPE TERM
  berth_n=0; berth_none=0; berth_told=" "
  while :; do
    if [ -n "$berth_proc" ]; then
      berth_m=$(grep -lF "$2" /proc/[0-9]*/environ)
    else
      berth_m=$(berth_marked "$2")
    fi
    if [ -z "$berth_m" ]; then
      # Where something was found, twice: a process that forks while the list is read can escape it once.
      berth_none=$((berth_none + 1))
      [ $berth_n -gt 0 ] && [ $berth_none -lt 2 ] || break
    else
      berth_none=0
    fi
    [ $berth_n -lt $(($3 + 100)) ] || { echo "r $1 stuck" $berth_m; return; }
    for berth_p in $berth_m; do
      berth_p=\${berth_p#/proc/}; berth_p=\${berth_p%/environ}
      if [ $berth_n -ge "$3" ]; then kill -KILL "$berth_p"; continue; fi
      case $berth_told in *" $berth_p "*) ;; *) berth_told="$berth_told$berth_p "; kill -TERM "$berth_p";; esac
    done
    berth_n=$((berth_n + 1))
    if [ $berth_n -lt 4 ]; then sleep 0.02; else sleep 0.1; fi || sleep 1
  done
  echo "r $1 gone"
}

berth_forget() { # request id...: removes the folders of actions that have ended
  berth_remove "$@" </dev/null 2>/dev/null &
  berth_job $!
}

berth_remove() {
  berth_q=$1; shift
  for berth_i in "$@"; do
    berth_state "$berth_i"
    # A folder without a start: from here on there will be none.
    case $berth_r in starting*) berth_shut "$berth_i"; berth_state "$berth_i";; esac
    case $berth_r in running*|starting*) echo "r $berth_q busy $berth_i"; return;; esac
    rm -rf -- "$berth_a/$berth_i" || { echo "r $berth_q fault $berth_i"; return; }
  done
  echo "r $berth_q ok"
}

berth_list() { # request
  ( cd "$berth_a" && set -- "$1" * && if [ "$2" = '*' ]; then echo "r $1 ok"; else berth_q=$1; shift; echo "r $berth_q ok $*"; fi )
}
`;
