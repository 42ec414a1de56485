function i(e){if(e.length===0)return;let n=t=>e.map(d=>d[t]).join(", ");return{kind:"failed",expected:n("expected"),actual:n("actual")}}export{i as a};
