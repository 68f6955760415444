// Thumbs, with a reason and what would have been right.
const REASONS = ['wrong', 'incomplete', 'source', 'outdated', 'style', 'other'];

async function sendRating(id, rating, reason = '', correction = '') {
  await api(`/api/messages/${encodeURIComponent(id)}/feedback`, { method: 'POST', body: { rating, reason, correction } });
}

function showRating(answer, rating) {
  for (const thumb of $$('[data-act=rate]', answer)) thumb.setAttribute('aria-pressed', String(thumb.dataset.rating === rating));
}

actions.rate = async (button) => {
  const answer = button.closest('.answer');
  const id = messageOf(button);
  const rating = button.getAttribute('aria-pressed') === 'true' ? '' : button.dataset.rating;
  try {
    await sendRating(id, rating);
  } catch (error) { failed(error); return; }
  showRating(answer, rating);
  $('.feedback', answer)?.remove();
  if (rating === 'down') askWhy(answer, id, button);
  else if (rating) toast(word('feedback_thanks'));
};

function askWhy(answer, id, thumb) {
  const name = `reason-${id}`;
  const choices = REASONS.map((reason) => h('label', { class: 'choice' },
    h('input', { type: 'radio', name, value: reason }), h('span', {}, word(`reason_${reason}`))));
  const correction = h('textarea', { rows: '3', maxlength: '4000', id: `correction-${id}` });
  const form = h('form', { class: 'feedback' },
    h('fieldset', {}, h('legend', {}, word('feedback_reason')), h('div', { class: 'choices' }, choices)),
    h('label', { for: correction.id }, word('feedback_correction')), correction, h('p', { class: 'fine' }, word('feedback_note')),
    h('div', { class: 'box-foot' },
      h('button', { type: 'button', class: 'plain', click: () => { form.remove(); thumb.focus(); } }, word('cancel')),
      h('button', { type: 'submit', class: 'primary' }, word('feedback_send'))));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const reason = $('input:checked', form)?.value || '';
    try {
      await sendRating(id, 'down', reason, correction.value.trim());
      form.remove();
      thumb.focus();
      toast(word('feedback_thanks'));
    } catch (error) { failed(error); }
  });
  answer.append(form);
  $('input', form).focus();
  form.scrollIntoView({ block: 'nearest' });
}
