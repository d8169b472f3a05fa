import mitt from 'mitt';

const hub = mitt();

const make = (n) => {
  const props = { n, title: `Widget ${n}`, columns: [...'abcdef'].map((key) => ({ key, label: `${key}-${n}` })) };
  let html = '';
  const draw = () => {
    html = `<h3>${props.title}</h3>${props.columns.map((c) => `<th>${c.label}</th>`).join('')}`;
  };
  hub.on('locale', draw);
  draw();
  return () => html;
};

export default async (n) => {
  const view = make(n);
  if (n % 90 === 0) hub.emit('locale', 'de');
  return view().length;
};
