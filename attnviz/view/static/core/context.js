/**
 * Context that a view gives to its parts.
 *
 * @typedef {Object} Context
 * @property {import("./store.js").Store} store
 * @property {HTMLElement} root
 * @property {any} data  a TraceData, or what is asked as one, such as the difference of two
 * @property {import("./sides.js").Sides|null} [sides]  of two traces in one view
 * @property {(side: string) => void} [turn]  shows another side
 * @property {import("./texts.js").Texts["code"]} code  behind each stage
 * @property {import("../matrix/tooltip.js").Tooltip} [tooltip]
 * @property {import("../matrix/terms.js").Terms} [terms]  cards of the glossary, in views that have them
 * @property {() => import("./colors.js").Palette} palette
 * @property {(key: string, params?: Record<string, any>) => string} t  the catalogue's text
 * @property {(x: number) => string} fmt   three significant digits
 * @property {(x: number) => string} full  every digit
 * @property {(text: string) => void} announce  to those who hear the page
 * @property {(site: number, heads: number[], stages: string[]) => Promise<void>} load
 * @property {(site: number, stage: string) => string} absent  why numbers of the chosen head will not come; "" when they may
 * @property {(error: Error) => void} failed
 * @property {(event: Event, place?: {query: number|null, key: number|null}) => void} [ask]  what to change there, in views that offer it
 * @property {(step: number) => HTMLElement|undefined} [breaks]  what breaks a step of the chain
 * @property {(event: Event, site: number, head: number, focus: HTMLElement) => void} [askOf]  what to change of a head
 * @property {(name: string) => Promise<any>} [later]  a module that comes when it is first asked for, in views that offer it
 * @property {(spec: object) => void} openTable
 * @property {(spec: object, anchor: HTMLElement) => void} exportMenu
 */

export {};
