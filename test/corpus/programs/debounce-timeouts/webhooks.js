const RETRY_AFTER_MS = 15 * 60_000;

class Delivery {
  constructor(event, url) {
    this.event = event;
    this.url = url;
    this.attempts = [];
    this.payload = JSON.stringify({ event, url, at: new Date().toISOString(), items: Array(12).fill(event) });
  }
}

class WebhookSender {
  constructor(post) {
    this.post = post;
    this.delivered = 0;
  }

  async send(delivery) {
    const status = await this.post(delivery.url, delivery.payload);
    delivery.attempts.push({ at: Date.now(), status });
    if (status < 300) this.delivered += 1;
    return status;
  }

  async deliver(event, url) {
    const delivery = new Delivery(event, url);
    delivery.retry = setTimeout(() => this.send(delivery), RETRY_AFTER_MS);
    delivery.retry.unref();
    return this.send(delivery);
  }
}

const sender = new WebhookSender(async (_url, payload) => (payload.length > 10 ? 204 : 500));

module.exports = {
  deliver: (number) => sender.deliver(`order.created.${number}`, `https://partner-${number % 9}.example/hooks`),
};
