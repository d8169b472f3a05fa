let controller;
const source = new ReadableStream({
  start(given) {
    controller = given;
  },
});

export const [live, audit] = source.tee();
export const publish = (change) => controller.enqueue(change);
