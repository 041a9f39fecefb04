// The package refuses to be imported. The process goes on, and ends normally.
const outcome = await import('threadsafe').then(
  () => 'it was imported',
  ({ message }) => message,
)
if (!/does not run on Deno .* Use Node\.js or Bun/.test(outcome)) throw new Error(`Not refused: ${outcome}`)
