import { setTheme, themes, useTheme, type Theme } from '../style/theme';

/** Light, dark, or as the system has it. */
export function ThemeSwitch() {
  const theme = useTheme();
  return (
    <select className="input" aria-label="Appearance" value={theme} onChange={(event) => setTheme(event.target.value as Theme)}>
      {themes.map((one) => <option key={one} value={one}>{one === 'system' ? 'as the system' : one}</option>)}
    </select>
  );
}
