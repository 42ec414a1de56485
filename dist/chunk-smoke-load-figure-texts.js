import{e}from"./chunk-duration.js";function o(r){let n=r*100;return n>0&&n<.01?"less than 0.01 %":`${e(n,2)} %`}function s(r){return`${e(r,r<100?1:0)} calls/s`}export{o as a,s as b};
