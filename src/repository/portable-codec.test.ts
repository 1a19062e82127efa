import { codecConformance } from './codec-conformance.ts'
import { portableCodec } from './portable-codec.ts'

codecConformance('portable codec', portableCodec)
