const sent = { mails: 0 };

export function remindLater(customer, cartId) {
  const reminder = {
    customer,
    cartId,
    text: [`Dear ${customer},`, 'your cart is waiting for you.', 'Yours, the shop'],
    attempts: 0,
  };
  const timer = setInterval(() => {
    reminder.attempts += 1;
    if (reminder.text.length > 0) sent.mails += 1;
  }, 3_600_000);
  timer.unref();
}
