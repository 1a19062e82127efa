import { testKills } from './lvm-kill.ts'

testKills(2)
