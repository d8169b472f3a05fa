const probe = (module.exports = {
  runs: [],
  async sample(n) {
    const values = new Float64Array(256);
    for (let i = 0; i < values.length; i++) values[i] = Math.sin(n + i / 10);
    probe.runs.push(values);
    return probe.mean();
  },
  mean() {
    const last = probe.runs[probe.runs.length - 1];
    return last.reduce((a, b) => a + b, 0) / last.length;
  },
});
