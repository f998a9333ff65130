/**
 * What the runner wants of Windows, in C# 5 with P/Invoke.
 *
 * The server of OpenSSH puts a session into a job object that ends all its processes with the connection, and allows them to
 * break away from it. So a supervisor is started with CREATE_BREAKAWAY_FROM_JOB; where another job forbids that, by WMI, whose
 * processes belong to no session.
 *
 * A command is started suspended and put into two named job objects, that of its lease and inside that its own, before it can
 * start anything. Whatever it starts is in them too and cannot leave. A name lasts as long as somebody holds its handle: its
 * supervisor does until nothing is left, and the command itself, should its supervisor be ended.
 * No job ends its processes when its last handle is closed: a command goes on without us.
 */
export const SYSTEM_SOURCE = String.raw`
namespace Berth
{
  using System;
  using System.Collections;
  using System.Collections.Generic;
  using System.ComponentModel;
  using System.Diagnostics;
  using System.IO;
  using System.Runtime.InteropServices;
  using System.Security.AccessControl;
  using System.Security.Principal;
  using System.Text;

  public sealed class Windows : Os
  {
    /// The assembly that we are, which a supervisor loads too.
    readonly string assembly;
    public Windows(string assembly) { this.assembly = assembly; }

    [StructLayout(LayoutKind.Sequential, CharSet = CharSet.Unicode)]
    struct StartupInfo
    {
      public int Size;
      public string Reserved, Desktop, Title;
      public int X, Y, XSize, YSize, XChars, YChars, Fill, Flags;
      public short Show, Reserved2;
      public IntPtr Reserved3, Input, Output, Error;
    }
    [StructLayout(LayoutKind.Sequential)]
    struct ProcessInfo { public IntPtr Process, Thread; public int ProcessId, ThreadId; }
    [StructLayout(LayoutKind.Sequential)]
    struct SecurityAttributes { public int Size; public IntPtr Descriptor; public int Inherit; }
    delegate bool ConsoleHandler(uint kind);

    [DllImport("kernel32.dll", SetLastError = true, CharSet = CharSet.Unicode)]
    static extern bool CreateProcessW(string application, StringBuilder commandLine, IntPtr process, IntPtr thread, bool inherit, uint flags, IntPtr environment, string folder, ref StartupInfo startup, out ProcessInfo info);
    [DllImport("kernel32.dll", SetLastError = true, CharSet = CharSet.Unicode)]
    static extern IntPtr CreateFileW(string path, uint access, uint share, ref SecurityAttributes security, uint how, uint flags, IntPtr template);
    [DllImport("kernel32.dll", SetLastError = true, CharSet = CharSet.Unicode)]
    static extern uint SearchPathW(string folders, string name, string extension, uint room, StringBuilder found, IntPtr part);
    [DllImport("kernel32.dll", SetLastError = true, CharSet = CharSet.Unicode)]
    static extern IntPtr CreateJobObjectW(IntPtr security, string name);
    [DllImport("kernel32.dll", SetLastError = true, CharSet = CharSet.Unicode)]
    static extern IntPtr OpenJobObjectW(uint access, bool inherit, string name);
    [DllImport("kernel32.dll", SetLastError = true)]
    static extern bool AssignProcessToJobObject(IntPtr job, IntPtr process);
    [DllImport("kernel32.dll", SetLastError = true)]
    static extern bool QueryInformationJobObject(IntPtr job, int what, IntPtr buffer, int size, IntPtr written);
    [DllImport("kernel32.dll", SetLastError = true)]
    static extern bool TerminateJobObject(IntPtr job, uint code);
    [DllImport("kernel32.dll", SetLastError = true)]
    static extern bool TerminateProcess(IntPtr process, uint code);
    [DllImport("kernel32.dll", SetLastError = true)]
    static extern bool DuplicateHandle(IntPtr fromProcess, IntPtr handle, IntPtr toProcess, out IntPtr copy, uint access, bool inherit, uint options);
    [DllImport("kernel32.dll")] static extern IntPtr GetCurrentProcess();
    [DllImport("kernel32.dll", SetLastError = true)] static extern uint ResumeThread(IntPtr thread);
    [DllImport("kernel32.dll")] static extern uint WaitForSingleObject(IntPtr handle, uint milliseconds);
    [DllImport("kernel32.dll", SetLastError = true)] static extern bool GetExitCodeProcess(IntPtr process, out uint code);
    [DllImport("kernel32.dll")] static extern bool CloseHandle(IntPtr handle);
    [DllImport("kernel32.dll")] static extern bool SetConsoleCP(uint page);
    [DllImport("kernel32.dll")] static extern bool SetConsoleOutputCP(uint page);
    [DllImport("kernel32.dll")] static extern bool SetConsoleCtrlHandler(ConsoleHandler handler, bool add);
    [DllImport("kernel32.dll", SetLastError = true)] static extern bool GenerateConsoleCtrlEvent(uint kind, int group);

    const uint Suspended = 0x4, NewGroup = 0x200, UnicodeEnvironment = 0x400, Breakaway = 0x01000000, NoWindow = 0x08000000;
    const uint QueryJob = 0x4, TerminateJob = 0x8, SameAccess = 0x2, ShareAll = 0x7;
    const int AccessDenied = 5, NotFound = 2, PathNotFound = 3, StandardHandles = 0x100;
    static readonly IntPtr Invalid = new IntPtr(-1);

    static Win32Exception Failed(string what)
    {
      int code = Marshal.GetLastWin32Error();
      return new Win32Exception(code, what + " failed: " + new Win32Exception(code).Message);
    }

    /// Below a folder of the user's profile that is so already; below a drive itself all users could read it.
    public override void Guard(string folder)
    {
      Directory.CreateDirectory(folder);
      // What is already so is left alone: each file below would be written to otherwise.
      if (Directory.GetAccessControl(folder).AreAccessRulesProtected) return;
      DirectorySecurity security = new DirectorySecurity();
      security.SetAccessRuleProtection(true, false);
      SecurityIdentifier[] readers = { WindowsIdentity.GetCurrent().User, new SecurityIdentifier(WellKnownSidType.LocalSystemSid, null) };
      foreach (SecurityIdentifier reader in readers)
        security.AddAccessRule(new FileSystemAccessRule(reader, FileSystemRights.FullControl, InheritanceFlags.ContainerInherit | InheritanceFlags.ObjectInherit, PropagationFlags.None, AccessControlType.Allow));
      Directory.SetAccessControl(folder, security);
    }

    /// As CreateProcess will look for it.
    public override bool Has(string program) { return SearchPathW(null, program, null, 0, null, IntPtr.Zero) > 0; }

    // --- supervisors ---

    static string Literal(string text) { return "'" + System.Text.RegularExpressions.Regex.Replace(text, "['\u2018\u2019\u201a\u201b]", "$0$0") + "'"; }

    /// PowerShell, told what to do in a way that nothing on the way to it can change.
    static string PowerShell(string text)
    {
      string program = Process.GetCurrentProcess().MainModule.FileName;
      return "\"" + program + "\" -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -OutputFormat Text -EncodedCommand " + Convert.ToBase64String(Encoding.Unicode.GetBytes(text));
    }

    public override int Launch(string actions, string id)
    {
      string supervise = PowerShell("[void][Reflection.Assembly]::LoadFrom(" + Literal(assembly) + "); exit [Berth.Runner]::Supervise((New-Object Berth.Windows " + Literal(assembly) + "), " + Literal(actions) + ", " + Literal(id) + ")");
      StartupInfo startup = new StartupInfo();
      startup.Size = Marshal.SizeOf(typeof(StartupInfo));
      ProcessInfo info;
      if (CreateProcessW(null, new StringBuilder(supervise), IntPtr.Zero, IntPtr.Zero, false, Breakaway | NewGroup | NoWindow, IntPtr.Zero, null, ref startup, out info))
      {
        CloseHandle(info.Thread);
        CloseHandle(info.Process);
        return info.ProcessId;
      }
      if (Marshal.GetLastWin32Error() != AccessDenied) throw Failed("starting a supervisor");
      return LaunchByWmi(supervise);
    }

    static int LaunchByWmi(string commandLine)
    {
      string ask = PowerShell("$hidden = New-CimInstance -ClientOnly -ClassName Win32_ProcessStartup -Property @{ ShowWindow = [uint16]0 }; (Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{ CommandLine = " + Literal(commandLine) + "; ProcessStartupInformation = $hidden }).ProcessId");
      int split = ask.IndexOf('"', 1) + 1;
      ProcessStartInfo start = new ProcessStartInfo(ask.Substring(1, split - 2), ask.Substring(split + 1));
      start.UseShellExecute = false;
      start.CreateNoWindow = true;
      start.RedirectStandardOutput = true;
      using (Process asked = Process.Start(start))
      {
        string said = asked.StandardOutput.ReadToEnd().Trim();
        asked.WaitForExit();
        int pid;
        if (!int.TryParse(said, out pid)) throw new InvalidOperationException("neither breaking away from the session's job nor WMI could start a supervisor: " + said);
        return pid;
      }
    }

    public override string Born(int pid)
    {
      try
      {
        using (Process process = Process.GetProcessById(pid)) return process.StartTime.ToFileTimeUtc().ToString();
      }
      catch (ArgumentException) { return null; }
      catch (InvalidOperationException) { return null; }
      // Somebody else's process has the number now.
      catch (Win32Exception) { return null; }
    }

    // --- commands ---

    static IntPtr Open(string path, uint access, uint how)
    {
      SecurityAttributes inherited = new SecurityAttributes();
      inherited.Size = Marshal.SizeOf(typeof(SecurityAttributes));
      inherited.Inherit = 1;
      IntPtr handle = CreateFileW(path, access, ShareAll, ref inherited, how, 0x80, IntPtr.Zero);
      if (handle == Invalid) throw Failed("opening " + path);
      return handle;
    }

    /// Ours with the command's variables over it. Names count whatever their case, and the block has to be in order.
    static string Environment(Dictionary<string, string> more)
    {
      SortedDictionary<string, string> all = new SortedDictionary<string, string>(StringComparer.OrdinalIgnoreCase);
      foreach (DictionaryEntry one in System.Environment.GetEnvironmentVariables()) all[(string)one.Key] = (string)one.Value;
      // PowerShell leaves there what it was told about its own scripts.
      all.Remove("PSExecutionPolicyPreference");
      foreach (KeyValuePair<string, string> one in more) all[one.Key] = one.Value;
      StringBuilder block = new StringBuilder();
      foreach (KeyValuePair<string, string> one in all) block.Append(one.Key).Append('=').Append(one.Value).Append('\0');
      return block.Append('\0').ToString();
    }

    static readonly ConsoleHandler Ignored = delegate { return true; };

    public override Tree Start(Start start)
    {
      // A supervisor has a console of its own, without a window, which only its command shares: so its code page is nobody
      // else's, and what is sent to the command's group or to all on that console ends no other command, and not us.
      SetConsoleCtrlHandler(Ignored, true);
      SetConsoleCP(65001);
      SetConsoleOutputCP(65001);
      const uint read = 0x80000000, append = 0x4, existing = 3, always = 4;
      IntPtr input = Open("NUL", read, existing), output = Open(Path.Combine(start.Folder, "out"), append, always), error = Open(Path.Combine(start.Folder, "err"), append, always);
      IntPtr environment = Marshal.StringToHGlobalUni(Environment(start.Env));
      try
      {
        StartupInfo startup = new StartupInfo();
        startup.Size = Marshal.SizeOf(typeof(StartupInfo));
        startup.Flags = StandardHandles;
        startup.Input = input;
        startup.Output = output;
        startup.Error = error;
        ProcessInfo info;
        if (!CreateProcessW(null, new StringBuilder(start.CommandLine), IntPtr.Zero, IntPtr.Zero, true, Suspended | NewGroup | UnicodeEnvironment, environment, start.Cwd, ref startup, out info))
        {
          int code = Marshal.GetLastWin32Error();
          throw new Refused(code == NotFound || code == PathNotFound ? 127 : 126, "the command could not be started: " + new Win32Exception(code).Message);
        }
        try
        {
          if (start.Lease != null) Join(Runner.LeaseMark(start.Lease), info.Process);
          IntPtr job = Join(Runner.ActionMark(start.Id), info.Process);
          if (ResumeThread(info.Thread) == 0xffffffff) throw Failed("starting the command");
          return new Started(info.ProcessId, info.Process, job);
        }
        catch (Win32Exception)
        {
          TerminateProcess(info.Process, 137);
          throw;
        }
        finally { CloseHandle(info.Thread); }
      }
      finally
      {
        Marshal.FreeHGlobal(environment);
        CloseHandle(input);
        CloseHandle(output);
        CloseHandle(error);
      }
    }

    /// The job of this name, made where it is missing, with the process in it and holding it.
    static IntPtr Join(string name, IntPtr process)
    {
      IntPtr job = CreateJobObjectW(IntPtr.Zero, "Global\\" + name), copy;
      if (job == IntPtr.Zero) throw Failed("making the job " + name);
      if (!AssignProcessToJobObject(job, process)) throw Failed("putting the command into the job " + name);
      if (!DuplicateHandle(GetCurrentProcess(), job, process, out copy, 0, false, SameAccess)) throw Failed("handing on the job " + name);
      return job;
    }

    static List<int> MembersOf(IntPtr job)
    {
      List<int> members = new List<int>();
      for (int room = 1024; ; room *= 4)
      {
        int size = 8 + room * IntPtr.Size;
        IntPtr buffer = Marshal.AllocHGlobal(size);
        try
        {
          bool whole = QueryInformationJobObject(job, 3, buffer, size, IntPtr.Zero);
          const int moreData = 234;
          if (!whole && Marshal.GetLastWin32Error() != moreData) throw Failed("asking for the processes of a job");
          if (!whole) continue;
          int count = Marshal.ReadInt32(buffer, 4);
          for (int at = 0; at < count; at++) members.Add((int)Marshal.ReadIntPtr(buffer, 8 + at * IntPtr.Size));
          return members;
        }
        finally { Marshal.FreeHGlobal(buffer); }
      }
    }

    public override List<int> Members(string mark)
    {
      IntPtr job = OpenJobObjectW(QueryJob, false, "Global\\" + mark);
      if (job == IntPtr.Zero)
      {
        if (Marshal.GetLastWin32Error() == NotFound) return new List<int>();
        throw Failed("opening the job " + mark);
      }
      try { return MembersOf(job); }
      finally { CloseHandle(job); }
    }

    public override void End(string mark)
    {
      IntPtr job = OpenJobObjectW(TerminateJob, false, "Global\\" + mark);
      if (job == IntPtr.Zero) return;
      try { if (!TerminateJobObject(job, 137)) throw Failed("ending the job " + mark); }
      finally { CloseHandle(job); }
    }

    sealed class Started : Tree
    {
      readonly IntPtr process, job;
      public Started(int pid, IntPtr process, IntPtr job) { Pid = pid; this.process = process; this.job = job; }

      public override bool Ended(int milliseconds) { return WaitForSingleObject(process, (uint)milliseconds) == 0; }

      public override int Code()
      {
        uint code;
        if (!GetExitCodeProcess(process, out code)) throw Failed("asking for the exit code");
        return unchecked((int)code);
      }

      /// CTRL+BREAK, which a new process group does not ignore as it does CTRL+C. What has left the console is not asked.
      public override void Ask() { GenerateConsoleCtrlEvent(1, Pid); }

      public override int Left() { return MembersOf(job).Count; }
    }
  }
}
`;
