// Loads pages of the module in a headless Chromium.
// usage: node page.mjs PLAYWRIGHT CHROMIUM STEPS
// STEPS: JSON, an array of { url, user, password, script }: each page is loaded in a
// context of its own, and script, if any, runs in it. Prints a JSON array with the
// status, the title, the text, what the console said and what script returned.
import { createRequire } from "node:module";

const [playwright, executablePath, steps] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(playwright);
const browser = await chromium.launch({
    executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const results = [];

for (const { url, user, password, script } of JSON.parse(steps)) {
    const context = await browser.newContext({
        ignoreHTTPSErrors: true,
        httpCredentials: user === undefined ? undefined : { username: user, password } });
    const page = await context.newPage(), errors = [];

    page.on("console", (message) => errors.push(message.text()));
    const answer = await page.goto(url, { waitUntil: "load" }).catch(() => null);
    if (answer === null) {
        // Where a person would be asked for a password.
        const refused = await context.request.get(url);
        results.push({ status: refused.status(), text: await refused.text() });
        await context.close();
        continue;
    }
    results.push({
        status: answer.status(), title: await page.title(),
        text: await page.evaluate(() => document.body.innerText),
        color: await page.evaluate(() => getComputedStyle(document.body).color),
        result: script === undefined ? null : await page.evaluate(script),
        errors });
    await context.close();
}
await browser.close();
console.log(JSON.stringify(results));
