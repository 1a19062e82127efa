import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Finding, ok, type Stops, unknown, warning, wrong } from '../../host/doctor/finding.ts'
import { doctorExitCode, doctorReport } from './doctor-report.ts'

const GOOD = ok('lvm-tools', 'LVM is 2.03.16')
const WARNED = warning('clock', 'The clock is 6 s ahead', 'Use chrony')
const UNKNOWN = unknown('service', 'systemd is silent', 'See for yourself')

function wrongThat(stops: Stops): Finding {
  return wrong('x', { sentence: 'It is wrong', advice: 'Do it right', stops })
}

test('doctorExitCode() says whether backups work, and what keeps them from it', () => {
  assert.equal(doctorExitCode([GOOD]), 0)
  assert.equal(doctorExitCode([GOOD, WARNED]), 0)
  assert.equal(doctorExitCode([GOOD, UNKNOWN]), 3)
  assert.equal(doctorExitCode([GOOD, wrongThat('nothing')]), 3)
  assert.equal(doctorExitCode([GOOD, wrongThat('san')]), 3)
  assert.equal(doctorExitCode([wrongThat('source'), wrongThat('san')]), 4)
  assert.equal(doctorExitCode([wrongThat('repository'), UNKNOWN]), 5)
  assert.equal(doctorExitCode([wrongThat('repository'), wrongThat('source'), wrongThat('agent')]), 7)
})

test('doctorReport() says in words and signs what is not well, and what to change', () => {
  const examined = [
    { title: 'This host', findings: [GOOD, WARNED] },
    { title: 'The agent', findings: [wrongThat('agent'), UNKNOWN] },
  ]
  const { text, json } = doctorReport(examined, { paint: (_style, shown) => shown })
  assert.equal(
    typeof text === 'function' ? text() : text,
    `This host
  ✓ ok       lvm-tools  LVM is 2.03.16
  ! warning  clock      The clock is 6 s ahead
                        → Use chrony

The agent
  ✗ wrong    x          It is wrong
                        → Do it right
  ? unknown  service    systemd is silent
                        → See for yourself

4 checks: 1 ok, 1 wrong, 1 warning, 1 unknown`,
  )
  assert.deepEqual(Array.isArray(json) ? json[2] : null, {
    about: 'The agent',
    name: 'x',
    verdict: 'wrong',
    sentence: 'It is wrong',
    advice: 'Do it right',
    stops: 'agent',
  })
})
