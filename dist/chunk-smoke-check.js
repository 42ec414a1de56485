var e=["ping","served-hash","reducer","procedure","sql","subscription","http-route","log","metrics","connections","load"];export{e as a};
