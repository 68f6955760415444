// Thumbs, with a reason and what would have been right.
const REASONS = ['wrong', 'incomplete', 'source', 'outdated', 'style', 'other'];

async function sendRating(id, rating, reason = '', correction = '') {
  await api(`/api/messages/${encodeURIComponent(id)}/feedback`, { method: 'POST', body: { rating, reason, correction } });
}

function showRating(answer, rating) {
  for (const thumb of $$('[data-act=rate]', answer)) thumb.setAttribute('aria-pressed', String(thumb.dataset.rating === rating));
}

const answerOf = (id) => $(`#chat .answer[data-message="${CSS.escape(id)}"]`);

// One after the other: of two thumbs that are pressed at once the last one holds.
let rated = Promise.resolve();
actions.rate = (button) => { rated = rated.then(() => rate(messageOf(button), button.dataset.rating)).catch(failed); };

async function rate(id, pressed) {
  const thumb = () => $(`[data-rating="${pressed}"]`, answerOf(id) || h('p', {})); // the conversation may be shown anew meanwhile
  const rating = thumb()?.getAttribute('aria-pressed') === 'true' ? '' : pressed;
  try {
    await sendRating(id, rating);
  } catch (error) { failed(error); return; }
  const answer = answerOf(id);
  if (!answer) return;
  showRating(answer, rating);
  reasons.get(id)?.remove();
  reasons.delete(id);
  if (rating === 'down') askWhy(answer, id, thumb);
  else if (rating) toast(word('feedback_thanks'));
}

// What is being written of an answer outlives that the conversation is shown anew, since another answer has come.
const reasons = new Map();
let writing = null; // the field of such a form that has the focus
document.addEventListener('focusin', (event) => { writing = event.target.closest('.feedback') ? event.target : null; });
function keepReasons() {
  for (const [id, form] of reasons) {
    const answer = answerOf(id);
    if (answer && !answer.contains(form)) answer.append(form);
    if (form.contains(writing)) focusBack(writing);
  }
}

function askWhy(answer, id, thumb) {
  const name = `reason-${id}`;
  const choices = REASONS.map((reason) => h('label', { class: 'choice' },
    h('input', { type: 'radio', name, value: reason }), h('span', {}, word(`reason_${reason}`))));
  const correction = h('textarea', { rows: '3', maxlength: '4000', id: `correction-${id}` });
  const form = h('form', { class: 'feedback' },
    h('fieldset', {}, h('legend', {}, word('feedback_reason')), h('div', { class: 'choices' }, choices)),
    h('label', { for: correction.id }, word('feedback_correction')), correction, h('p', { class: 'fine' }, word('feedback_note')),
    h('div', { class: 'box-foot' },
      h('button', { type: 'button', class: 'plain', click: () => end() }, word('cancel')),
      h('button', { type: 'submit', class: 'primary' }, word('feedback_send'))));
  const end = () => {
    const inside = form.contains(document.activeElement);
    form.remove();
    reasons.delete(id);
    if (inside) thumb()?.focus();
  };
  submits(form, async () => {
    const reason = $('input:checked', form)?.value || '';
    try {
      await sendRating(id, 'down', reason, correction.value.trim());
      end();
      toast(word('feedback_thanks'));
    } catch (error) { failed(error); }
  });
  reasons.set(id, form);
  answer.append(form);
  focusBack($('input', form), thumb());
  form.scrollIntoView({ block: 'nearest' });
}
