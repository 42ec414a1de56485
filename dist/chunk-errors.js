var r=class extends Error{name="ConfigurationError"};function n(e){return e instanceof Error?e.message:String(e)}export{r as a,n as b};
