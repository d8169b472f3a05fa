/** A child that does nothing and ends only when it is ended. */
setInterval(() => {}, 1000);
process.on('disconnect', () => {});
