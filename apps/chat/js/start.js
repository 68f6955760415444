// The first look: theme, language, account, and the session that the address names.
function start() {
  if (!$('#question') || !$('#sessions') || !$('#title') || !$('#panel') || !$('#live')) { setTimeout(start, 20); return; } // other parts are still being mounted
  applyTheme();
  followHeights();
  state.session = sessionInAddress();
  placeSidebar();
  chooseLanguage(firstLanguage(), false);
  leaveChosen(state.session);
  takeDraft();
  loadAccount();
  loadSessions();
  show('open', { session: state.session, language: state.language });
  if (!narrow.matches) focusBack($('#question'));
  element.closest('body').dataset.ready = 'yes';
}
start();
