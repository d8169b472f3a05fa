type Values = Record<string, string>;

interface Field {
  name: string;
  label: string;
  required: boolean;
  help: string;
}

const validators: ((values: Values) => string[])[] = [];

function defineFields(form: string): Field[] {
  return ['email', 'street', 'city', 'country', 'phone', 'remark'].map((name) => ({
    name,
    label: `${name[0]?.toUpperCase()}${name.slice(1)}`,
    required: name !== 'remark',
    help: `Please enter your ${name} for ${form}.`,
  }));
}

export async function renderForm(number: number): Promise<string> {
  const form = `form-${number}`;
  const fields = defineFields(form);
  validators.push((values) =>
    fields
      .filter((field) => field.required && !values[field.name])
      .map((field) => `${form}: ${field.label} is missing`),
  );
  const latest = validators.at(-1);
  const problems = latest?.({ email: 'a@example.com' }) ?? [];
  return `<form id="${form}">${fields.map((field) => `<input name="${field.name}">`).join('')}${problems.length}</form>`;
}
