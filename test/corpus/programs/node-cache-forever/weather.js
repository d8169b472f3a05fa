const express = require('express');
const NodeCache = require('node-cache');

const forecasts = new NodeCache({ useClones: false, checkperiod: 0 });
let reads = 0;

async function fetchForecast(city) {
  return {
    city,
    days: Array.from({ length: 5 }, (_, day) => ({
      day,
      high: 20 + day,
      low: 11 + day,
      sky: `partly cloudy in ${city}`,
    })),
  };
}

async function forecastFor(city) {
  const key = `${city}@${process.hrtime.bigint()}`;
  const cached = forecasts.get(key);
  if (cached !== undefined) {
    reads += 1;
    return cached;
  }
  const forecast = await fetchForecast(city);
  forecasts.set(key, forecast);
  return forecast;
}

const app = express();

app.get('/weather/:city', async (req, res) => {
  res.json(await forecastFor(req.params.city));
});

app.get('/stats', (_req, res) => res.json({ reads, keys: forecasts.keys().length }));

app.listen(process.env.PORT);
