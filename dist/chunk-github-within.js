async function a(e,t){let r,n=new Promise((i,o)=>{r=setTimeout(()=>o(new Error(`it took longer than ${e/1e3} s`)),e)});try{return await Promise.race([t,n])}finally{clearTimeout(r)}}export{a};
