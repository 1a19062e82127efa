import { testCloneKills } from './clone-kill.ts'

testCloneKills(4)
