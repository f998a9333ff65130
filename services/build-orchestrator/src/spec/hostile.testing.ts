/** What has been syntax somewhere. */
export const hostile = ["'", '"', "'; touch owned; '", '$(touch owned)', '`touch owned`', '%PATH%', '!PATH!', '${IFS}', '$env:PATH', '& calc', '| cat', '\n touch owned\n', '\r\n', '\\', '*', '~', '-n', '^', '@{}', '@(1)', '#', '𝔘', '\u2028', '  two  ', ''];
