import statistics, json
SETUP = '''
import torch
from lessons import CharModel, trace
from lessons.vocabulary import Vocabulary
from widgets import gates
text = ("**JAQUES**\\nSing it: 'tis no matter how it be in tune.\\n\\n_Exeunt_\\n\\n**ROSALIND**\\nHow say you now? <b>x</b> " * 3)[:200]
torch.manual_seed(0)
model = CharModel(Vocabulary(tuple(sorted(set(text)))), hidden_size=128)
for p in model.parameters(): p.data *= 3
seen = trace(model, text)
x = gates.explore(seen, name="f")
x
'''
LAT = """() => {
  window.__lat = []; window.__t0 = null;
  document.addEventListener('keydown', e => { window.__t0 = performance.now(); }, true);
  const plot = document.querySelector('.jp-Notebook .js-plotly-plot');
  new MutationObserver(() => { if (window.__t0 === null) return; const s = window.__t0; window.__t0 = null;
    const m = performance.now() - s;
    requestAnimationFrame(() => requestAnimationFrame(() => window.__lat.push([m, performance.now() - s]))); 
  }).observe(plot.querySelector('.main-svg').parentElement, {subtree:true, attributes:true, childList:true});
}"""
def stats(lat):
    return {"n": len(lat), "dom": round(statistics.median(a for a,_ in lat),1), "paint": round(statistics.median(b for _,b in lat),1), "max": round(max(b for _,b in lat),1)}
def test_gates(lab):
    page = lab.run(SETUP)
    page.wait_for_selector(".js-plotly-plot .heatmaplayer image")
    page.wait_for_timeout(1000)
    page.locator(".unrolled-card").screenshot(path="/tmp/unrolled/shots/lab_gates_all.png")
    page.evaluate(LAT)
    page.locator(".unrolled-bar input[type=range]").focus()
    for _ in range(25):
        page.keyboard.press("ArrowRight"); page.wait_for_timeout(250)
    print("cursor", stats(page.evaluate("()=>window.__lat")))
    print(lab.execute(page, "print(x.value(), x.message)"))
    page.evaluate("()=>{window.__lat=[]}")
    page.locator(".unrolled-bar .play").focus()
    for k in range(25):
        page.keyboard.press("12345"[k%5]); page.wait_for_timeout(350)
    print("gate", stats(page.evaluate("()=>window.__lat")))
    page.evaluate("()=>{window.__lat=[]}")
    page.locator(".unrolled-bar input[placeholder='all units']").fill("74")
    page.keyboard.press("Tab")
    page.wait_for_timeout(1500)
    page.locator(".unrolled-card").screenshot(path="/tmp/unrolled/shots/lab_gates_one.png")
    page.locator(".unrolled-bar input[type=range]").focus()
    page.evaluate("()=>{window.__lat=[]}")
    for _ in range(15):
        page.keyboard.press("ArrowLeft"); page.wait_for_timeout(250)
    print("cursor one", stats(page.evaluate("()=>window.__lat")))
    print(lab.execute(page, "print(x.value(), x.message)"))
    lab.reload(page)
    page.wait_for_selector(".js-plotly-plot .heatmaplayer image"); page.wait_for_timeout(1000)
    page.locator(".unrolled-card").screenshot(path="/tmp/unrolled/shots/lab_gates_reload.png")
    print(page.locator(".unrolled-bar h3").text_content())
