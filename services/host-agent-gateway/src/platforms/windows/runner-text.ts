/**
 * The runner of Windows hosts, in C# 5 (what the compiler of Windows PowerShell 5.1 knows), spoken to in the same words and with
 * the same folder of an action as the POSIX one (runner-text.ts), apart from
 *   start   what is to be started, a word a line: folder to run in, file of the script, command line, NAME=value...; gone once
 *           it was read, because a value may be secret
 *   script.ps1, script.cmd   instead of `script`
 * A request is a line of words, each `=` and its UTF-8 in base64, so that nothing in it can be taken for anything else,
 * whatever the code page of the host. Answers are ASCII lines that end in a bare newline.
 *
 * An action has a process of its own that supervises it, because its exit code must be kept when the connection, and with it
 * the runner, is gone. What is particular to Windows is in system-text.ts; without that the same code runs elsewhere, which is
 * how it is tested.
 */
export const RUNNER_SOURCE = String.raw`#pragma warning disable 0169, 0649
using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;

namespace Berth
{
  public sealed class Start
  {
    public string Id, Folder, Cwd, CommandLine, Lease;
    public Dictionary<string, string> Env = new Dictionary<string, string>();
  }

  /// A command cannot be started; the message is for whoever reads its output.
  public sealed class Refused : Exception
  {
    public readonly int Code;
    public Refused(int code, string message) : base(message) { Code = code; }
  }

  /// A started command with all that it starts.
  public abstract class Tree
  {
    public int Pid;
    /// True when the command has ended; waits at most so long.
    public abstract bool Ended(int milliseconds);
    public abstract int Code();
    /// Asks it to end.
    public abstract void Ask();
    /// How many of its processes live.
    public abstract int Left();
  }

  /// What the runner wants of the operating system.
  public abstract class Os
  {
    /// Starts the supervisor of an action where the end of the connection does not reach it; its process id.
    public abstract int Launch(string actions, string id);
    /// When this process started; null when there is none.
    public abstract string Born(int pid);
    public abstract Tree Start(Start start);
    /// Living processes of an action or a lease.
    public abstract List<int> Members(string mark);
    /// Ends them by force.
    public abstract void End(string mark);
    /// Makes a folder whose files, and those that are put there later, its owner alone can read.
    public abstract void Guard(string folder);
    /// Whether a program is found by its name.
    public abstract bool Has(string program);
  }

  public sealed class Runner
  {
    static readonly UTF8Encoding Utf8 = new UTF8Encoding(false);
    /// How often what is refused is tried again, a tenth of a second apart: a virus scanner or an indexer may have a file open.
    const int Patience = 20;
    readonly Os os;
    readonly TextWriter output;
    readonly List<string> watched = new List<string>();
    string actions;

    Runner(Os os, TextWriter output) { this.os = os; this.output = output; }

    public static string ActionMark(string id) { return "berth-action-" + id; }
    public static string LeaseMark(string id) { return "berth-lease-" + id; }
    static int Self() { return System.Diagnostics.Process.GetCurrentProcess().Id; }

    /// Answers requests until the input ends.
    public static void Serve(Os os, TextReader input, Stream output)
    {
      StreamWriter writer = new StreamWriter(output, Utf8);
      writer.NewLine = "\n";
      writer.AutoFlush = true;
      Runner runner = new Runner(os, writer);
      runner.Aside(runner.Watch);
      for (string line = input.ReadLine(); line != null; line = input.ReadLine()) runner.Take(line.Trim());
    }

    void Aside(ThreadStart work)
    {
      Thread thread = new Thread(work);
      thread.IsBackground = true;
      thread.Start();
    }

    void Take(string line)
    {
      string[] words = line.Split(' ');
      if (words.Length < 2) return;
      string[] given = new string[words.Length - 2];
      for (int at = 0; at < given.Length; at++) given[at] = Utf8.GetString(Convert.FromBase64String(words[at + 2].Substring(1)));
      string request = words[1];
      switch (words[0])
      {
        case "berth_load": Safely(request, delegate { actions = given[0]; os.Guard(actions); Answer(request, "ok"); }); break;
        case "berth_look": Safely(request, delegate { Answer(request, State(given[0])); }); break;
        case "berth_never": Safely(request, delegate { CreateNew(given[0], "pid", "never\n"); Answer(request, State(given[0])); }); break;
        case "berth_list": Safely(request, delegate { List(request); }); break;
        case "berth_run": Aside(delegate { Safely(request, delegate { Run(request, given); }); }); break;
        case "berth_kill": Aside(delegate { Safely(request, delegate { Kill(request, given[0], given[1], int.Parse(given[2])); }); }); break;
        case "berth_reap": Aside(delegate { Safely(request, delegate { Reap(request, given[0], int.Parse(given[1])); }); }); break;
        case "berth_forget": Aside(delegate { Safely(request, delegate { Forget(request, given); }); }); break;
      }
    }

    /// Whatever goes wrong is an answer; why is said on the other stream.
    void Safely(string request, ThreadStart work)
    {
      try { work(); }
      catch (Exception error)
      {
        Console.Error.WriteLine(error.Message);
        Answer(request, "fault");
      }
    }

    void Answer(string request, string words) { Say("r " + request + " " + words); }
    void Say(string line) { lock (output) output.WriteLine(line); }

    // --- files of an action ---

    string At(string id) { return Path.Combine(actions, id); }

    /// All of a file that somebody else may be writing; null when it is not there.
    string Read(string id, string name)
    {
      try
      {
        using (FileStream file = new FileStream(Path.Combine(At(id), name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
        using (StreamReader reader = new StreamReader(file, Utf8)) return reader.ReadToEnd();
      }
      catch (FileNotFoundException) { return null; }
      catch (DirectoryNotFoundException) { return null; }
      // On its way to being removed: Windows lets nobody open it any more.
      catch (UnauthorizedAccessException) { return null; }
    }

    /// One line of a file; null until it is whole.
    string Line(string id, string name, int number)
    {
      string text = Read(id, name);
      if (text == null) return null;
      string[] lines = text.Split('\n');
      return number < lines.Length - 1 ? lines[number] : null;
    }

    /// The door that only one gets through: false when the file is there already.
    bool CreateNew(string id, string name, string text)
    {
      byte[] bytes = Utf8.GetBytes(text);
      try
      {
        using (FileStream file = new FileStream(Path.Combine(At(id), name), FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
          file.Write(bytes, 0, bytes.Length);
        return true;
      }
      catch (IOException)
      {
        if (File.Exists(Path.Combine(At(id), name))) return false;
        throw;
      }
    }

    /// Appears whole or not at all; the first one stays.
    void Place(string id, string name, string text) { Place(id, name, Utf8.GetBytes(text)); }

    void Place(string id, string name, byte[] bytes)
    {
      string path = Path.Combine(At(id), name);
      string whole = path + "." + Guid.NewGuid().ToString("N");
      File.WriteAllBytes(whole, bytes);
      for (int tries = 0; ; tries++)
      {
        try
        {
          File.Move(whole, path);
          return;
        }
        catch (IOException)
        {
          if (File.Exists(path)) break;
          if (tries >= Patience) throw;
        }
        catch (UnauthorizedAccessException) { if (tries >= Patience) throw; }
        Thread.Sleep(100);
      }
      File.Delete(whole);
    }

    string Code(string id) { return Line(id, "rc", 0); }
    string Exited(string id, string killed, string code) { return "exited " + killed + " " + code + " " + Wrote(id, "output"); }

    bool Lives(string line)
    {
      string[] words = line.Split(' ');
      int pid;
      return words.Length == 2 && int.TryParse(words[0], out pid) && os.Born(pid) == words[1];
    }

    /// Does the supervisor or the command live?
    bool Live(string id)
    {
      for (int number = 0; number < 2; number++)
      {
        string line = Line(id, "pid", number);
        if (line != null && Lives(line)) return true;
      }
      return false;
    }

    string State(string id)
    {
      if (!Directory.Exists(At(id))) return "unknown";
      string killed = Line(id, "killed", 0) ?? "-";
      string code = Code(id);
      if (code != null) return Exited(id, killed, code);
      string first = Line(id, "pid", 0);
      if (first == null) return "starting " + killed;
      if (first == "never") return "never " + killed;
      if (Live(id)) return "running " + killed;
      // The supervisor may have written the code and gone between the two looks above.
      code = Code(id);
      if (code != null) return Exited(id, killed, code);
      return (os.Members(ActionMark(id)).Count > 0 ? "running " : "lost ") + killed;
    }

    // --- requests ---

    /// id, folder to run in, file of the script, its text, command line, how many files, NAME and content of each, NAME=value...
    void Run(string request, string[] given)
    {
      string id = given[0];
      Directory.CreateDirectory(At(id));
      if (Line(id, "pid", 0) != null)
      {
        Answer(request, State(id));
        return;
      }
      if (!os.Has(given[4].Split(' ')[0]))
      {
        Answer(request, "no-shell");
        return;
      }
      Place(id, given[2], given[3]);
      List<string> start = new List<string>(new string[] { given[1], given[2], given[4] });
      int next = 6 + 2 * int.Parse(given[5]);
      for (int at = 6; at < next; at += 2)
      {
        string name = "secret-" + given[at];
        Place(id, name, Convert.FromBase64String(given[at + 1]));
        start.Add(given[at] + "=" + Path.Combine(At(id), name));
      }
      for (int at = next; at < given.Length; at++) start.Add(given[at]);
      Place(id, "start", string.Concat(start.ConvertAll(delegate(string word) { return Convert.ToBase64String(Utf8.GetBytes(word)) + "\n"; }).ToArray()));
      int supervisor = os.Launch(actions, id);
      for (int tries = 0; tries < 4000; tries++)
      {
        string first = Line(id, "pid", 0);
        if (first == null && os.Born(supervisor) != null)
        {
          Thread.Sleep(5);
          continue;
        }
        first = Line(id, "pid", 0);
        if (first == null || first.Split(' ')[0] != supervisor.ToString()) break;
        Answer(request, "new");
        lock (watched) watched.Add(id);
        return;
      }
      Answer(request, State(id));
    }

    /// Tells of the ends of what was started over this connection.
    void Watch()
    {
      for (;;)
      {
        string[] all;
        lock (watched) all = watched.ToArray();
        foreach (string id in all)
        {
          string code = Code(id);
          if (code == null && Directory.Exists(At(id))) continue;
          lock (watched) watched.Remove(id);
          if (code != null) Say("x " + id + " " + (Line(id, "killed", 0) ?? "-") + " " + code + " " + Wrote(id, "output") + " " + Wrote(id, "out") + " " + Wrote(id, "err"));
        }
        Thread.Sleep(all.Length > 0 ? 10 : 50);
      }
    }

    string Wrote(string id, string name)
    {
      FileInfo file = new FileInfo(Path.Combine(At(id), name));
      return file.Exists && file.Length > 0 ? "1" : "0";
    }

    void Kill(string request, string id, string reason, int grace)
    {
      // Never seen here: take its place, so that a start still under way from a lost connection finds the door shut.
      Directory.CreateDirectory(At(id));
      // No code yet: note why there will be one; its supervisor sees that and asks the command to end.
      if (Code(id) == null) CreateNew(id, "killed", reason + "\n");
      CreateNew(id, "pid", "never\n");
      int none = 0;
      for (int n = 0; ; n++)
      {
        List<int> left = os.Members(ActionMark(id));
        if (left.Count > 0)
        {
          none = 0;
          // What a command left behind when it ended can be asked by nobody.
          if (n >= grace || Code(id) != null) os.End(ActionMark(id));
        }
        // Twice, because a command that is just being started is in no list yet.
        else if (++none >= 2)
        {
          if (Code(id) != null) break;
          if (!Live(id))
          {
            if (Code(id) == null && Line(id, "pid", 0) != "never") Place(id, "rc", "137\n");
            break;
          }
        }
        if (n >= grace + 100)
        {
          Answer(request, "stuck " + string.Join(" ", left));
          return;
        }
        Thread.Sleep(n < 4 ? 20 : 100);
      }
      Answer(request, "gone " + State(id));
    }

    /// Ends all that runs for a lease. There is nobody who could ask it first: that is what ending its actions is for.
    void Reap(string request, string mark, int grace)
    {
      string name = LeaseMark(mark.Substring(mark.IndexOf('=') + 1));
      for (int n = 0; ; n++)
      {
        List<int> left = os.Members(name);
        if (left.Count == 0) break;
        if (n >= grace + 100)
        {
          Answer(request, "stuck " + string.Join(" ", left));
          return;
        }
        os.End(name);
        Thread.Sleep(n < 4 ? 20 : 100);
      }
      Answer(request, "gone");
    }

    void Forget(string request, string[] ids)
    {
      // One that stays must not keep the others.
      string stays = null;
      foreach (string id in ids)
      {
        string state = State(id);
        // A folder without a start: from here on there will be none.
        if (state.StartsWith("starting"))
        {
          CreateNew(id, "pid", "never\n");
          state = State(id);
        }
        if (state.StartsWith("running") || state.StartsWith("starting"))
        {
          Answer(request, "busy " + id);
          return;
        }
        if (state != "unknown" && !Removed(At(id))) stays = id;
      }
      Answer(request, stays == null ? "ok" : "fault " + stays);
    }

    static bool Removed(string path)
    {
      for (int tries = 0; tries < Patience; tries++)
      {
        try { Directory.Delete(path, true); }
        catch (DirectoryNotFoundException) { return true; }
        catch (IOException) { Thread.Sleep(100); }
        catch (UnauthorizedAccessException) { Thread.Sleep(100); }
        if (!Directory.Exists(path)) return true;
      }
      return false;
    }

    void List(string request)
    {
      StringBuilder answer = new StringBuilder("ok");
      foreach (string path in Directory.GetDirectories(actions)) answer.Append(' ').Append(Path.GetFileName(path));
      Answer(request, answer.ToString());
    }

    // --- the supervisor ---

    /// Starts the command of an action once and for all, and keeps how it ended.
    public static int Supervise(Os os, string actions, string id)
    {
      Runner runner = new Runner(os, TextWriter.Null);
      runner.actions = actions;
      if (!runner.CreateNew(id, "pid", Self() + " " + os.Born(Self()) + "\n")) return 1;
      if (runner.Read(id, "killed") != null)
      {
        runner.Place(id, "rc", "137\n");
        runner.Unwrite(id);
        return 0;
      }
      Tree tree;
      try { tree = runner.Begin(id); }
      catch (Exception error)
      {
        File.AppendAllText(Path.Combine(runner.At(id), "err"), "berth: " + error.Message + "\n", Utf8);
        Refused refused = error as Refused;
        runner.Place(id, "rc", (refused == null ? 126 : refused.Code) + "\n");
        runner.Unwrite(id);
        return 0;
      }
      runner.SeeThrough(id, tree);
      return 0;
    }

    /// Takes away what was to be started. Its folder is its owner's, so what stays is no harm beyond that.
    void Unwrite(string id)
    {
      try { File.Delete(Path.Combine(At(id), "start")); }
      catch (IOException error) { Console.Error.WriteLine(error.Message); }
      catch (UnauthorizedAccessException error) { Console.Error.WriteLine(error.Message); }
    }

    Tree Begin(string id)
    {
      string[] words = Read(id, "start").Split('\n');
      for (int at = 0; at < words.Length; at++) words[at] = Utf8.GetString(Convert.FromBase64String(words[at]));
      Start start = new Start();
      start.Id = id;
      start.Folder = At(id);
      start.Cwd = words[0];
      start.CommandLine = words[2];
      for (int at = 3; at < words.Length - 1; at++)
      {
        int equals = words[at].IndexOf('=');
        start.Env[words[at].Substring(0, equals)] = words[at].Substring(equals + 1);
      }
      start.Env.TryGetValue("BERTH_LEASE", out start.Lease);
      start.Env["BERTH_ACTION"] = id;
      start.Env["BERTH_OUTPUT"] = Path.Combine(At(id), "output");
      start.Env["BERTH_SCRIPT"] = Path.Combine(At(id), words[1]);
      if (!Directory.Exists(start.Cwd)) throw new Refused(125, "there is no folder " + start.Cwd + " to run in");
      return os.Start(start);
    }

    void SeeThrough(string id, Tree tree)
    {
      string born = os.Born(tree.Pid);
      // Known besides, for whoever looks when we are gone; with us it is known without.
      try { if (born != null) File.AppendAllText(Path.Combine(At(id), "pid"), tree.Pid + " " + born + "\n", Utf8); }
      catch (IOException error) { Console.Error.WriteLine(error.Message); }
      Unwrite(id);
      bool asked = false;
      while (!tree.Ended(50))
      {
        if (asked || !File.Exists(Path.Combine(At(id), "killed"))) continue;
        asked = true;
        tree.Ask();
      }
      Place(id, "rc", tree.Code() + "\n");
      // Another that was asked for the same start may have written it again meanwhile.
      Unwrite(id);
      // By the handles that we hold, what it left running is found by name.
      while (tree.Left() > 0) Thread.Sleep(200);
    }
  }
}
`;
