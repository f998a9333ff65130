/** A machine with its plug, its power button and its reset button. */
export interface Plant {
  isOn(): boolean;
  /** The power supply: `false` takes the machine down at once, whatever it does. */
  power(on: boolean): void;
  /** The reset button: it goes down and comes back, if it is on. */
  reset(): void;
  /** The operating system is asked to end; the machine is off a moment later. */
  shutdown(): void;
  /** The operating system is asked to start again. */
  restart(): void;
  /** No timer is left. */
  stop(): void;
}

export interface PlantOptions {
  bootMs?: number;
  shutdownMs?: number;
  /** Firmware that has a reset button and does nothing when it is pressed. */
  ignoresReset?: boolean;
  /** An operating system that hangs. */
  ignoresShutdown?: boolean;
  /** Told when it is up after a start, and when it isn't any more. */
  up?(): void;
  down?(): void;
}

/** As real hardware, it takes its time: a machine that is on need not be up. */
export function createPlant({ bootMs = 50, shutdownMs = 50, ignoresReset = false, ignoresShutdown = false, up = () => undefined, down = () => undefined }: PlantOptions = {}): Plant {
  let on = true;
  let timer: NodeJS.Timeout | undefined;
  const later = (milliseconds: number, then: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(then, milliseconds);
  };
  const boot = (): void => later(bootMs, up);
  const power = (to: boolean): void => {
    if (to === on) return;
    on = to;
    if (on) return boot();
    clearTimeout(timer);
    down();
  };
  const reset = (): void => {
    if (!on || ignoresReset) return;
    down();
    boot();
  };
  return {
    isOn: () => on,
    power,
    reset,
    shutdown: () => {
      if (on && !ignoresShutdown) later(shutdownMs, () => power(false));
    },
    restart: () => {
      if (on && !ignoresShutdown) {
        later(shutdownMs, () => {
          down();
          boot();
        });
      }
    },
    stop: () => clearTimeout(timer),
  };
}
