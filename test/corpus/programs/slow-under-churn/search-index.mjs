import QuickLRU from 'quick-lru';

const documents = new QuickLRU({ maxSize: 200 });
const postings = new Map();

function tokenise(text) {
  return text
    .toLowerCase()
    .split(/\W+/)
    .filter((word) => word.length > 3);
}

function addPosting(word, id) {
  const list = postings.get(word);
  if (list === undefined) postings.set(word, [id]);
  else if (list.length < 20) list.push(id);
}

export async function indexDocument(number) {
  const rare = number % 10 === 0 ? `serial${number}` : 'ordinary';
  const document = {
    id: number,
    title: `Document ${number % 50}`,
    text: `Instructions about machine ${number % 50} with ${rare} parts`,
    stored: Array.from({ length: 10 }, (_, part) => `${number}/${part}`),
  };
  documents.set(number, document);
  for (const word of tokenise(document.text)) addPosting(word, number);
  return documents.get(number - 10)?.title;
}
