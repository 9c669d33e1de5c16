/**
 * The last step of `npm run build`: the compiler leaves behind what is not
 * TypeScript (the Lua scripts), so it is copied to the same place in dist/,
 * and the command is made executable.
 */
import { chmod, cp } from 'node:fs/promises'

await cp('src', 'dist', {
  recursive: true,
  filter: source => !source.endsWith('.ts') && !source.endsWith('.md')
})
await chmod('dist/main.js', 0o755)
