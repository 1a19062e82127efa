import { testCloneKills } from '../../kill/clone-kill.ts'

testCloneKills(50)
