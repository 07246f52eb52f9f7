// Opens HTML reports in Chromium and prints what it finds, as JSON. Reads the folder with the pages from its argument.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

const [folder, executablePath] = process.argv.slice(2)
const axe = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
const browser = await chromium.launch({ executablePath, headless: true, args })
const address = name => pathToFileURL(join(folder, name)).href
const found = {}

// A page, with everything that it complains about or asks for.
async function opened (name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  const problems = []
  page.on('console', message => problems.push(`console: ${message.text()}`))
  page.on('pageerror', error => problems.push(`error: ${error}`))
  page.on('request', request => { if (request.url() !== address(name)) problems.push(`request: ${request.url()}`) })
  await page.goto(address(name))
  return { page, problems, context }
}

// Milliseconds from the navigation until the page is loaded and drawn.
async function ready (name) {
  const { page, context } = await opened(name)
  const time = await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))))
  await context.close()
  return time
}

async function violations (page) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(node => `${node.html.slice(0, 120)} ${node.any?.[0]?.message ?? ''}`).join(' | ')}`)
}

const visible = page => page.locator('#table tbody tr.row:visible')
const names = async page => (await visible(page).locator('th').allTextContents()).map(name => name.trim())

// What a person does, without a mouse where that is possible.
async function used (name) {
  const { page, problems, context } = await opened(name)
  const result = { size: statSync(join(folder, name)).size, sentence: await page.locator('h1').textContent(), rows: await visible(page).count() }
  const timed = async action => {
    const before = await page.evaluate(() => performance.now())
    await action()
    await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve))))
    return await page.evaluate(before => performance.now() - before, before)
  }
  await page.locator('#search').focus()
  result.filter_ms = await timed(() => page.keyboard.insertText('too open'))
  result.filtered = await names(page)
  result.shown = await page.locator('#shown').textContent()
  await page.locator('#search').fill('')
  await page.locator('#state').selectOption({ index: 1 })
  result.of_state = await names(page)
  await page.locator('#state').selectOption('')
  const head = page.locator('#table thead th button', { hasText: 'Target' })
  await head.focus()
  result.sort_ms = await timed(() => page.keyboard.press('Enter'))
  result.ascending = await names(page)
  await page.keyboard.press('Enter')
  result.descending = await names(page)
  result.aria_sort = await page.locator('#table thead th').first().getAttribute('aria-sort')
  await page.reload()
  const first = page.locator('#table tbody tr.row [role=button]').first()
  await first.focus()
  result.open_ms = await timed(() => page.keyboard.press('Enter'))
  result.expanded = await first.getAttribute('aria-expanded')
  result.details = await page.locator('tr.detail').first().innerText()
  result.deciding = await page.locator('tr.detail .statement.decides').allInnerTexts()
  result.marked = await page.locator('tr.detail .mark').allInnerTexts()
  const last = page.locator('#table tbody tr.row [role=button]').last()
  await last.click()
  result.since = await page.locator('tr.detail').last().innerText()
  await last.click()
  await first.focus()
  await page.screenshot({ path: join(folder, `${name}.light.png`) })
  result.axe = await violations(page)
  await page.keyboard.press('Enter')
  result.closed = !(await page.locator('tr.detail').first().isVisible())
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.screenshot({ path: join(folder, `${name}.dark.png`) })
  result.axe_dark = await violations(page)
  await page.emulateMedia({ colorScheme: 'light', media: 'print' })
  await page.screenshot({ path: join(folder, `${name}.print.png`) })
  await page.emulateMedia({ media: 'screen' })
  const pdf = await page.pdf({ path: join(folder, `${name}.pdf`), format: 'A4' })
  result.pdf = pdf.subarray(0, 5).toString()
  result.pdf_pages = (pdf.toString('latin1').match(/\/Type\s*\/Page\b/g) ?? []).length
  result.problems = problems
  await context.close()
  return result
}

// The share of the causes in the width of the table, with details open, on screens of these widths.
async function causes (name, widths) {
  const { page, context } = await opened(name, {})
  await page.locator('#table tbody tr.row [role=button]').first().click()
  const shares = []
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 })
    shares.push(await page.evaluate(() => {
      const [head, table] = [document.querySelector('#table thead th:nth-child(3)'), document.getElementById('table')]
      return head.getBoundingClientRect().width / table.getBoundingClientRect().width
    }))
  }
  await context.close()
  return shares
}

async function onPhone (name) {
  const { page, problems, context } = await opened(name, { viewport: { width: 375, height: 800 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true })
  await page.locator('#table tbody tr.row [role=button]').first().tap()
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  await page.screenshot({ path: join(folder, `${name}.phone.png`), fullPage: (await visible(page).count()) < 50 })
  const result = { overflow, axe: await violations(page), problems }
  await context.close()
  return result
}

async function withoutScript (name) {
  const { page, context } = await opened(name, { javaScriptEnabled: false })
  const result = { rows: await visible(page).count(), form: await page.locator('form').isVisible(), words: await page.locator('noscript').innerText() }
  await context.close()
  return result
}

// The text of a page as a browser shows it, with every link opened.
async function hostile (name) {
  const { page, problems, context } = await opened(name)
  for (const button of await page.locator('#table tbody tr.row [role=button]').all()) await button.click()
  const result = {
    text: await page.locator('body').innerText(),
    elements: await page.evaluate(() => [...new Set([...document.querySelectorAll('*')].map(element => element.localName))]),
    ran: await page.evaluate(() => window.ran === undefined),
    problems
  }
  await context.close()
  return result
}

// A page with every link opened.
async function all (name) {
  const { page, problems, context } = await opened(name)
  for (const button of await page.locator('#table tbody tr.row [role=button]').all()) await button.click()
  const result = { sentence: await page.locator('h1').textContent(), details: await page.locator('tr.detail').count(), axe: await violations(page), problems }
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
  await context.close()
  return result
}

await ready('empty.html')
const times = { empty: [], many: [] }
for (let round = 0; round < 5; round++) {
  times.empty.push(await ready('empty.html'))
  times.many.push(await ready('many.html'))
}
const median = all => all.sort((a, b) => a - b)[Math.floor(all.length / 2)]
found.ready = { empty: median(times.empty), many: median(times.many) }
found.few = await used('few.html')
found.many = await used('many.html')
found.phone = await onPhone('few.html')
found.phone_many = await onPhone('many.html')
found.causes = await causes('few.html', [1280, 1000, 800, 375])
found.without_script = await withoutScript('many.html')
found.hostile = await hostile('hostile.html')
found.real = await used('real.html')
found.others = {}
for (const name of ['check', 'diagnose', 'list', 'must-refuse', 'as', 'error']) found.others[name] = await all(`${name}.html`)
await browser.close()
console.log(JSON.stringify(found))
