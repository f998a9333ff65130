import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { found } from '../../runner/runner.testing.js';
import { RUNNER_SOURCE } from './runner-text.js';
import { SYSTEM_SOURCE } from './system-text.js';

/**
 * The few things that the runner wants of its operating system, as this one does them: groups of processes for jobs, found by a
 * mark in their environment, and TERM for CTRL+BREAK. Everything else is the runner of Windows itself.
 */
const STAND_IN = String.raw`
namespace Berth
{
  using System;
  using System.Collections.Generic;
  using System.Diagnostics;
  using System.IO;

  public sealed class StandIn : Os
  {
    static readonly string Self = typeof(StandIn).Assembly.Location;

    static ProcessStartInfo Shell(string text, params string[] words)
    {
      ProcessStartInfo start = new ProcessStartInfo("setsid");
      start.Arguments = "sh -c \"" + text + "\" sh";
      foreach (string word in words) start.Arguments += " \"" + word + "\"";
      start.UseShellExecute = false;
      return start;
    }

    public override int Launch(string actions, string id)
    {
      ProcessStartInfo start = Shell("exec mono \\\"$1\\\" supervise \\\"$2\\\" \\\"$3\\\" </dev/null >/dev/null 2>&1", Self, actions, id);
      start.EnvironmentVariables["BERTH_SUPERVISES"] = id;
      return Process.Start(start).Id;
    }

    /// The 22nd word of its stat; nothing for a zombie.
    public override string Born(int pid)
    {
      try
      {
        string text = File.ReadAllText("/proc/" + pid + "/stat");
        string[] words = text.Substring(text.LastIndexOf(')') + 2).Split(' ');
        return words[0] == "Z" || words[0] == "X" ? null : words[19];
      }
      catch (IOException) { return null; }
    }

    public override Tree Start(Start start)
    {
      ProcessStartInfo info = Shell("cd \\\"$BERTH_CWD\\\" && exec $BERTH_LINE </dev/null >\\\"$BERTH_AT/out\\\" 2>\\\"$BERTH_AT/err\\\"");
      foreach (KeyValuePair<string, string> one in start.Env) info.EnvironmentVariables[one.Key] = one.Value;
      info.EnvironmentVariables["BERTH_CWD"] = start.Cwd;
      info.EnvironmentVariables["BERTH_AT"] = start.Folder;
      info.EnvironmentVariables["BERTH_LINE"] = start.CommandLine.Split(' ')[0];
      info.EnvironmentVariables.Remove("BERTH_SUPERVISES");
      return new Started(this, start.Id, Process.Start(info));
    }

    public override List<int> Members(string mark)
    {
      string wanted = mark.StartsWith("berth-action-") ? "BERTH_ACTION=" + mark.Substring(13) : "BERTH_LEASE=" + mark.Substring(12);
      List<int> members = new List<int>();
      foreach (string folder in Directory.GetDirectories("/proc"))
      {
        int pid;
        if (!int.TryParse(Path.GetFileName(folder), out pid)) continue;
        try
        {
          if (Array.IndexOf(File.ReadAllText(folder + "/environ").Split('\0'), wanted) >= 0 && Born(pid) != null) members.Add(pid);
        }
        catch (IOException) { }
        catch (UnauthorizedAccessException) { }
      }
      return members;
    }

    public override void Guard(string folder)
    {
      Directory.CreateDirectory(folder);
      Process.Start("chmod", "700 \"" + folder + "\"").WaitForExit();
    }

    public override bool Has(string program)
    {
      return Array.Exists(Environment.GetEnvironmentVariable("PATH").Split(':'), delegate(string folder) { return File.Exists(Path.Combine(folder, program)); });
    }

    static void Signal(string name, IEnumerable<int> pids) { Process.Start("kill", "-" + name + " " + string.Join(" ", pids)).WaitForExit(); }
    public override void End(string mark) { Signal("KILL", Members(mark)); }

    sealed class Started : Tree
    {
      readonly StandIn os;
      readonly string id;
      readonly Process process;
      public Started(StandIn os, string id, Process process) { this.os = os; this.id = id; this.process = process; Pid = process.Id; }
      public override bool Ended(int milliseconds) { return process.WaitForExit(milliseconds); }
      public override int Code() { return process.ExitCode; }
      public override void Ask() { Signal("TERM", os.Members(Runner.ActionMark(id))); }
      public override int Left() { return os.Members(Runner.ActionMark(id)).Count; }
    }

    public static int Main(string[] words)
    {
      if (words.Length > 0) return Runner.Supervise(new StandIn(), words[1], words[2]);
      // What the PowerShell on the host reads before it is the runner: our source, and the folder for its assembly.
      Console.In.ReadLine();
      Console.In.ReadLine();
      Runner.Serve(new StandIn(), Console.In, Console.OpenStandardOutput());
      return 0;
    }
  }
}
`;

/** Whether this machine can compile it; `npm test` installs what is missing, or says how. */
export const canCompile = found('mcs') !== undefined && found('mono') !== undefined;

/** Compiles C# as Windows PowerShell does, in its version of the language; gives the file that was made. */
function compile(folder: string, name: string, source: string, kind: 'exe' | 'library'): string {
  const made = join(folder, `${name}.${kind === 'exe' ? 'exe' : 'dll'}`);
  writeFileSync(join(folder, `${name}.cs`), source);
  execFileSync('mcs', ['-langversion:5', '-warnaserror', `-target:${kind}`, `-out:${made}`, join(folder, `${name}.cs`)]);
  return made;
}

/** The whole program of a Windows host, which only Windows can run. */
export const compileForWindows = (folder: string): string => compile(folder, 'windows', `${RUNNER_SOURCE}${SYSTEM_SOURCE}`, 'library');

/**
 * A folder for PATH with a `powershell.exe` and a `cmd.exe` in it: the first is the runner of Windows for whoever opens its shell,
 * and both run the script of an action by sh.
 */
export function standIn(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const runner = compile(folder, 'runner', `${RUNNER_SOURCE}${STAND_IN}`, 'exe');
  const script = (name: string, text: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  script('powershell.exe', `[ -n "$BERTH_SCRIPT" ] || exec mono '${runner}'\ntail -c +4 "$BERTH_SCRIPT" >"$BERTH_SCRIPT.sh"\nexec sh -e "$BERTH_SCRIPT.sh"`);
  script('cmd.exe', `tail -n +3 "$BERTH_SCRIPT" | tr -d '\\r' >"$BERTH_SCRIPT.sh"\nexec sh "$BERTH_SCRIPT.sh"`);
  return folder;
}
