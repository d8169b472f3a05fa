// Rendered for each request: a static page would not exercise the server.
export const dynamic = 'force-dynamic';

export default function Page() {
  return <p>hello from next</p>;
}
