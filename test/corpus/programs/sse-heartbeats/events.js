const HEARTBEAT_MS = 15_000;

/** One client's stream of server-sent events. */
class EventStream {
  constructor(response, topic) {
    this.response = response;
    this.topic = topic;
    this.sent = [];
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
  }

  beat() {
    if (!this.response.writableEnded) this.response.write(': still here\n\n');
  }

  send(name, data) {
    this.sent.push({ name, at: Date.now() });
    this.response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end() {
    this.send('end', { topic: this.topic });
    this.response.end();
  }
}

module.exports = { EventStream };
