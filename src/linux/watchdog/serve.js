// The watchdog begins here: a name that is the same when the sources have become JavaScript.
await import('./serve.ts')
