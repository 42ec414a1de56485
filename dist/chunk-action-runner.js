function n(){return process.env.GITHUB_ACTIONS==="true"}export{n as a};
