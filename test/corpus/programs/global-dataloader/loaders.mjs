import DataLoader from 'dataloader';

async function fetchUsers(ids) {
  return ids.map((id) => ({
    id,
    name: `User ${id}`,
    avatar: `https://images.example/avatars/${id}.png`,
    badges: ['verified', `since-${2000 + (id % 24)}`],
  }));
}

export const userLoader = new DataLoader(fetchUsers, { maxBatchSize: 50 });
