// Runs once, as js_on_load of the passage panel: closes it without a round trip, and moves the keyboard with it.
let opener = null;
document.addEventListener('click', (event) => {
  opener = event.target.closest('[data-act=cite]') || opener;
}, true);

element.addEventListener('click', (event) => {
  if (!event.target.closest('[data-act=close]')) return;
  props.value = '';
  if (opener?.isConnected) opener.focus();
});

watch('value', () => {
  const passage = element.querySelector('.passage');
  if (!passage) return;
  passage.focus({ preventScroll: true });
  element.querySelector('mark')?.scrollIntoView({ block: 'nearest' });
});
