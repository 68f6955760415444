// The input: grows with its text, sends on Enter but never on the Enter that ends a Hangul syllable.
function grow(box) {
  box.style.height = 'auto';
  box.style.height = `${Math.min(box.scrollHeight, innerHeight * 0.35)}px`;
}

function setQuestion(text) {
  const box = $('#question');
  box.value = text;
  grow(box);
  box.focus();
  box.setSelectionRange(text.length, text.length);
}

function send() {
  const box = $('#question');
  if (!ask(box.value)) return;
  box.value = '';
  grow(box);
  closeTemplates();
}
actions.send = send;
actions.focus = () => $('#question').focus();

document.addEventListener('change', (event) => {
  if (event.target.id !== 'space') return;
  setSpace(event.target.value);
  keepSpace();
  announce(word('space_set', { space: word(`space_${event.target.value}`) }));
});

document.addEventListener('input', (event) => {
  if (event.target.id !== 'question') return;
  grow(event.target);
  if (!event.target.value.trim()) showExamples(null);
  suggestTemplates(event.target);
});

document.addEventListener('keydown', (event) => {
  if (event.target.id !== 'question' || isComposing(event)) return;
  if (templatesKey(event)) return;
  if (event.key === 'Enter' && !event.shiftKey) {
    event.preventDefault();
    send();
  }
});
