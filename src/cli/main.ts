#!/usr/bin/env node
import { systemClock } from '../domain/clock.ts'
import { COMMANDS, FAMILIES } from './command-table.ts'
import { runProgram } from './run-program.ts'
import { listenForSignals } from './signals.ts'
import { systemRandomness } from './system-randomness.ts'
import { openTerminal } from './terminal.ts'
import { VERSION } from './version.ts'

// The program on the process's own words, streams and signals. icecore.js starts it; it also runs by itself.
using signals = listenForSignals()
const parts = { commands: COMMANDS, families: FAMILIES, version: VERSION }
process.exitCode = await runProgram(parts, process.argv.slice(2), {
  environment: process.env,
  terminal: openTerminal(process, process.env),
  clock: systemClock,
  randomness: systemRandomness,
  signal: signals.signal,
})
