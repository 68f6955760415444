// Language and theme, kept in the browser.
const dark = matchMedia('(prefers-color-scheme: dark)');

function applyTheme() {
  const theme = recall('theme');
  const isDark = theme === 'dark' || (theme !== 'light' && dark.matches);
  document.body.classList.toggle('dark', isDark);
  document.documentElement.style.colorScheme = isDark ? 'dark' : 'light';
}
dark.addEventListener('change', applyTheme);

function chooseTheme(theme) {
  remember('theme', theme);
  applyTheme();
}

function firstLanguage() {
  const kept = recall('language');
  if (['ko', 'en'].includes(kept)) return kept;
  return !navigator.language ? settings.language : navigator.language.startsWith('ko') ? 'ko' : 'en';
}

function chooseLanguage(language, kept = true) {
  state.language = language;
  if (kept) remember('language', language);
  document.documentElement.lang = language;
  speak();
  showTitle();
  showChosen();
  showSessions();
  showAccount();
}
