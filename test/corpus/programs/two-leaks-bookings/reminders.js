const HOUR_MS = 3_600_000;

exports.remindOf = function remindOf(booking) {
  setTimeout(() => {
    booking.reminded = true;
  }, booking.hours * HOUR_MS).unref();
};
