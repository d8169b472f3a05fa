const formatters = new Map();

const ZONES = ['Europe/Vienna', 'America/New_York', 'Asia/Tokyo', 'Africa/Nairobi'];

function formatterFor(preferences) {
  const key = JSON.stringify(preferences);
  let formatter = formatters.get(key);
  if (formatter === undefined) {
    const { locale, timeZone } = preferences;
    formatter = {
      date: new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone }),
      time: new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone }),
      list: new Intl.ListFormat(locale),
      preferences,
    };
    formatters.set(key, formatter);
  }
  return formatter;
}

export async function formatAppointment(number) {
  const preferences = {
    user: `u-${number}`,
    locale: number % 2 === 0 ? 'de-AT' : 'en-US',
    timeZone: ZONES[number % ZONES.length],
  };
  const at = new Date(Date.UTC(2026, number % 12, 1 + (number % 27), 9, 30));
  const { date, time, list } = formatterFor(preferences);
  return `${date.format(at)} ${time.format(at)} ${list.format(['Ann', 'Bob'])}`;
}
