class ViewCounter {
  static log = [];

  static count(id, visitor) {
    ViewCounter.log.push({ id, visitor, at: new Date() });
    return ViewCounter.log.length;
  }
}

export const countView = (id, visitor) => ViewCounter.count(id, visitor);
