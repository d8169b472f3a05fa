import { userLoader } from './loaders.mjs';

const resolvers = {
  Comment: {
    author: (comment) => userLoader.load(comment.authorId),
    mentions: (comment) => userLoader.loadMany(comment.mentionIds),
  },
};

export async function resolveComment(number) {
  const comment = { id: number, authorId: number, mentionIds: [number % 10, number % 11], text: 'I agree.' };
  const author = await resolvers.Comment.author(comment);
  const mentions = await resolvers.Comment.mentions(comment);
  return { ...comment, author: author.name, mentions: mentions.map(({ name }) => name) };
}
