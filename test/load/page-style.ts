/** How the report looks, in light and in dark. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfbfa; --card: #fff; --ink: #1c1d20; --dim: #6c6f76; --rule: #e3e3e0;
  --one: #2563c9; --two: #b7791f; --three: #b83280; --good: #2f7d4f; --bad: #c0392b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16171a; --card: #1e2024; --ink: #e8e8e6; --dim: #9a9da5; --rule: #34363c;
    --one: #74a7f5; --two: #e2b25c; --three: #ee8fc4; --good: #6cc490; --bad: #f0857a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 820px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 32px 0 8px; }
header p { margin: 4px 0 20px; color: var(--dim); }
header b { color: var(--ink); }
.dim, p.dim { color: var(--dim); font-size: 13px; }
.verdict { background: var(--card); border: 1px solid var(--rule); border-left: 4px solid var(--good); border-radius: 6px; padding: 12px 16px; }
.verdict.bad { border-left-color: var(--bad); }
.verdict p { margin: 0; font-weight: 600; }
.verdict ul { margin: 8px 0 0; padding-left: 18px; font-size: 14px; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(100px, 1fr)); gap: 8px; margin: 16px 0; }
dl div { display: flex; flex-direction: column; background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: 10px 12px; }
dd { margin: 0; font-size: 20px; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
dt { color: var(--dim); font-size: 12px; line-height: 1.3; }
figure { margin: 16px 0 0; padding: 12px 12px 4px; background: var(--card); border: 1px solid var(--rule); border-radius: 6px; }
figcaption { font-weight: 600; padding-left: 4px; }
figcaption span { font-weight: 400; color: var(--dim); font-size: 13px; }
svg { display: block; width: 100%; height: auto; }
.grid { stroke: var(--rule); }
.tick { fill: var(--dim); font-size: 11px; font-variant-numeric: tabular-nums; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.line.one { stroke: var(--one); } .line.two { stroke: var(--two); } .line.three { stroke: var(--three); }
.line.bad { stroke: var(--bad); } .line.dim { stroke: var(--dim); stroke-dasharray: 3 3; }
.name { font-size: 12px; }
.name.one { fill: var(--one); } .name.two { fill: var(--two); } .name.three { fill: var(--three); }
.name.bad { fill: var(--bad); } .name.dim { fill: var(--dim); font-size: 12px; }
.hint { fill: transparent; }
.hint:hover { fill: var(--dim); fill-opacity: 0.15; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 8px; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; font-weight: 400; }
thead th { color: var(--dim); }
tbody th { text-align: left; }
.bar { display: grid; grid-template-columns: 140px 1fr 70px; gap: 10px; align-items: center; font-size: 13px; }
.bar i { display: block; height: 12px; border-radius: 3px; background: var(--one); min-width: 2px; }
.bar span:last-child { text-align: right; font-variant-numeric: tabular-nums; }
`;
