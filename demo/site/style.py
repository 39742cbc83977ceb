"""The shop's style sheet."""

STYLE = """
:root { font-family: system-ui, sans-serif; color: #23211d; background: #faf7f1; }
* { box-sizing: border-box; }
body { margin: 0; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: baseline; padding: 1rem 5vw;
  background: #2f4858; color: #fff; }
header a { color: inherit; font: 600 1.5rem Georgia, serif; text-decoration: none; }
main { max-width: 70rem; margin: 0 auto; padding: 1rem 5vw 4rem; }
h1, h2, h3 { font-family: Georgia, serif; }
a { color: #1d5c7a; }
nav ul, .breadcrumb, .pager { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0;
  list-style: none; }
nav { font-size: .85rem; }
.row { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1.5rem; padding: 0;
  list-style: none; }
.product_pod { height: 100%; padding: 1rem; border-radius: .5rem; background: #fff;
  box-shadow: 0 1px 4px #0002; }
.product_pod h3 { margin: .25rem 0; font-size: 1rem; }
.product_pod p { margin: .25rem 0; }
.product_page { display: grid; grid-template-columns: minmax(12rem, 18rem) 1fr; gap: 1rem 2rem; }
.product_page > * { grid-column: 1 / -1; margin: 0; }
.product_page > #product_gallery { grid-column: 1; }
.product_page > .product_main { grid-column: 2; }
img { max-width: 100%; border-radius: .25rem; }
.price_color { font-weight: 600; }
.star-rating { color: #b8860b; }
.instock { color: #2d6a3e; }
.outofstock { color: #a33; }
table { border-collapse: collapse; }
th, td { padding: .4rem 1rem; border-bottom: 1px solid #0002; text-align: left; }
@media (max-width: 40rem) { .product_page > * { grid-column: 1 / -1 !important; } }
"""
