function r(e,i=60){let n=e.slice(0,i*16).replace(/\s+/g," ").trim();return n.length<=i?n:`${n.slice(0,i-1)}\u2026`}export{r as a};
