const Bottleneck = require('bottleneck');

class Limits {
  static limiters = Object.create(null);

  static for(ip) {
    if (!(ip in Limits.limiters)) Limits.limiters[ip] = new Bottleneck({ maxConcurrent: 2, minTime: 0 });
    return Limits.limiters[ip];
  }
}

exports.limited = (n) => Limits.for(`192.168.${n >> 8}.${n & 255}`).schedule(async () => ({ n, ok: true }));
